"""Files that nobody can open for writing for a while, by leases of the kernel."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from grader.harness.limits import HELD_FILES_LIMIT


def hold(folder: Path, spared: str) -> list[int]:
    """Let whoever opens a file of the folder for writing wait, until `release`.

    Reading goes on, and so does making a file. The files whose names begin with
    `spared` are left alone, and one that somebody is writing already. Other systems
    than Linux have no leases: nothing is held there. A lease ends by itself after
    /proc/sys/fs/lease-break-time seconds, usually 45.

    Returns:
        What `release` takes: a file descriptor for each file that is held.
    """
    if sys.platform != "linux":
        return []
    held = []
    for path in itertools.islice(_files(folder, spared), HELD_FILES_LIMIT):
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:  # it has gone, or is a link
            continue
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError(f"expected a file, found {path}")
            _lease(file, "F_RDLCK")
        except OSError:  # or it is being written, or its file system has no leases
            os.close(file)
        else:
            held.append(file)
    return held


def release(held: list[int]) -> None:
    """Let those who wait open the files."""
    for file in held:
        # Not by its end alone: a process that is just starting may have a copy.
        with contextlib.suppress(OSError):  # the lease has ended by itself
            _lease(file, "F_UNLCK")
        os.close(file)


def _files(folder: Path, spared: str) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        for name in names:
            if not name.startswith(spared):
                yield os.path.join(where, name)


def _lease(file: int, kind: str) -> None:
    import fcntl  # there is none on Windows

    # The kernel says when somebody waits, by a signal that would end this process
    # unless it is one that is ignored.
    fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
    fcntl.fcntl(file, fcntl.F_SETLEASE, getattr(fcntl, kind))
