"""Scratch folders: whose supervisor is alive, and which ones nobody will remove."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path

from grader.harness.strays import end_strays

PREFIX = "grader-run-"


def remove_stale(parent: Path) -> None:
    """Remove scratch folders whose supervisor is gone: their lock is free."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            taken = lock(folder)
            if taken is not None:
                end_strays(str(folder))
                shutil.rmtree(folder, ignore_errors=True)
                os.close(taken)


def lock(folder: Path) -> int | None:
    """Take the folder's lock; None where there are no such locks.

    Raises:
        BlockingIOError: a supervisor that is alive has it.
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
