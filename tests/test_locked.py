"""Folders that are locked while their owner lives, and stale afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader import locked
from grader.harness.fork_launcher import ForkLauncher
from tests.harness.small import LIGHT, Warm

KEEPS = """
import sys
from grader.locked import kept
with kept() as folder:
    (folder / "copy.db").write_text("what a learner wrote")
    print(folder, flush=True)
    sys.stdin.read()
"""
linux_only = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no such locks"
)


@pytest.fixture
def usual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The usual place for temporary folders, for this process and those it starts."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def owner(usual: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that keeps a folder until its input ends."""
    command = [sys.executable, "-c", KEEPS]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as running:
        yield running
        running.kill()


def folder_of(owner: subprocess.Popen[str]) -> Path:
    """Wait until it has one."""
    assert owner.stdout is not None
    return Path(owner.stdout.readline().strip())


def test_kept_is_removed(usual: Path) -> None:
    """a kept folder goes with its block, whatever is in it and however that ends"""

    def fails(folder: Path) -> None:
        (folder / "copy.db").write_text("")
        raise KeyError

    with pytest.raises(KeyError), locked.kept() as folder:
        fails(folder)
    assert list(usual.iterdir()) == []


@linux_only
def test_alive_is_in_use(owner: subprocess.Popen[str], usual: Path) -> None:
    """the folder of an owner that lives is not stale, nor to be locked"""
    folder = folder_of(owner)
    assert list(locked.stale(usual, locked.KEPT)) == []
    with pytest.raises(locked.InUse):
        locked.lock(folder)
    owner.communicate("")
    assert list(usual.iterdir()) == []


@linux_only
def test_killed_in_a_look(owner: subprocess.Popen[str], usual: Path) -> None:
    """what a judge that was killed had copied goes with the start of the next"""
    left = folder_of(owner)
    owner.kill()
    owner.wait()
    assert (left / "copy.db").exists()
    Warm(ForkLauncher(), LIGHT, usual).close()
    assert list(usual.iterdir()) == []


@linux_only
@pytest.mark.parametrize(("age_s", "stale"), [(0, False), (7200, True)])
def test_never_locked(usual: Path, age_s: int, stale: bool) -> None:
    """a folder that never got its name is stale an hour later, and not before"""
    left = Path(tempfile.mkdtemp(prefix=locked.NEW + locked.KEPT))
    then = time.time() - age_s
    os.utime(left, (then, then))
    assert list(locked.stale(usual, locked.KEPT)) == [left] * stale
