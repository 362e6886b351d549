"""Files that are held can be read, and are written only after their release."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.harness.patience import until
from grader.sandbox import folders
from grader.sandbox.holding import leases

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has leases")

WRITES = """
import sys
print(open(sys.argv[1]).read(), flush=True)
open(sys.argv[1], "w").write("new")
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[list[int]]:
    """A folder with a file `kept/last`, held, and a database `base`."""
    (tmp_path / "kept").mkdir()
    for name in ("kept/last", "base", "base-wal"):
        (tmp_path / name).write_text("old")
    found = leases(str(tmp_path), "base", 9)
    yield found
    for file in found:
        os.close(file)


def test_a_writer_waits(held: list[int], tmp_path: Path) -> None:
    """who reads goes on; who opens it for writing does so after the release"""
    path = tmp_path / "kept" / "last"
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, path], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"old\n"
        waiting = Path(f"/proc/{process.pid}/stat")
        assert asyncio.run(until(lambda: ") S " in waiting.read_text(), 60))
        assert path.read_text() == "old"
        os.close(held.pop())
        assert process.wait(60) == 0
    assert path.read_text() == "new"


def test_the_database_is_spared(held: list[int], tmp_path: Path) -> None:
    """the database's own files, and new ones, can be written"""
    assert len(held) == 1
    for name in ("base", "base-wal", "kept/another"):
        (tmp_path / name).write_text("new")


def test_what_cannot_be_held(tmp_path: Path) -> None:
    """a link, a named pipe, and a file that is being written are left alone"""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/passwd")
    with (tmp_path / "open").open("w"):
        assert leases(str(tmp_path), "base", 9) == []


def test_so_many_files(tmp_path: Path) -> None:
    """of a great many files only so many are held, and all of them are released"""
    for number in range(5):
        (tmp_path / str(number)).touch()
    for _ in range(2):
        held = leases(str(tmp_path), "base", 4)
        assert len(held) == 4
        for file in held:
            os.close(file)


def test_deep_folders(tmp_path: Path) -> None:
    """folders inside each other, a thousand of them, end nobody"""
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("a", dir_fd=here)
        inner = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    (tmp_path / "a" / "last").touch()
    (file,) = leases(str(tmp_path), "base", 9)
    os.close(file)
    folders.remove(tmp_path)  # pytest's own way is to call itself
