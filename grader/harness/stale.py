"""Scratch folders: whose owner is alive, and which ones nobody will remove."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from grader.harness.strays import end_strays

RUN = "grader-run-"
KERNEL = "grader-kernel-"


def make(parent: Path, prefix: str) -> tuple[Path, int | None]:
    """Make a folder that is locked before it has a name that `remove_stale` looks for.

    The lock is to be closed once the folder is removed; who is killed loses it too.
    """
    new = Path(tempfile.mkdtemp(prefix=f"new-{prefix}", dir=parent))
    taken = lock(new)
    return new.rename(new.with_name(new.name.removeprefix("new-"))), taken


def remove_stale(parent: Path, prefix: str) -> None:
    """Remove folders whose owner is gone: their lock is free."""
    for folder in parent.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            taken = lock(folder)
            if taken is not None:
                end_strays(str(folder))
                shutil.rmtree(folder, ignore_errors=True)
                os.close(taken)


def lock(folder: Path) -> int | None:
    """Take the folder's lock; None where there are no such locks.

    Raises:
        BlockingIOError: an owner that is alive has it.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    taken = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(taken, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(taken)
        raise
    return taken
