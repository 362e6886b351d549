"""Files that are held can be read, and are written only after their release."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.harness import leases
from grader.harness.limits import HELD_FILES_LIMIT
from grader.harness.patience import until

fcntl: Any = pytest.importorskip("fcntl")
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
    found = leases.hold(tmp_path, spared="base")
    yield found
    leases.release(found)


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
        leases.release(held)
        held.clear()
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
        assert leases.hold(tmp_path, spared="base") == []


def test_so_many_files(tmp_path: Path) -> None:
    """of a great many files only so many are held, and all of them are released"""
    for number in range(HELD_FILES_LIMIT + 1):
        (tmp_path / str(number)).touch()
    held = leases.hold(tmp_path, spared="base")
    assert len(held) == HELD_FILES_LIMIT
    leases.release(held)
    again = leases.hold(tmp_path, spared="base")
    assert len(again) == HELD_FILES_LIMIT
    leases.release(again)


def test_a_lease_that_has_ended(held: list[int]) -> None:
    """the kernel may have ended it before: the files are closed all the same"""
    (file,) = held
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    leases.release(held)
    held.clear()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)
