"""Files that nobody can open for writing for a while, by leases of the kernel."""

from __future__ import annotations

import itertools
import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

FILES_LIMIT = 64  # files of a folder that are held: each is an open file of ours


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
    for path in itertools.islice(_files(folder, spared), FILES_LIMIT):
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:  # it has gone, or is a link
            continue
        if stat.S_ISREG(os.fstat(file).st_mode) and _lease(file):
            held.append(file)
        else:
            os.close(file)
    return held


def release(held: list[int]) -> None:
    """Let those who wait open the files."""
    if sys.platform != "linux":
        return
    import fcntl

    for file in held:
        # Not by its end alone: a process that is just starting may have a copy.
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(file)


def _files(folder: Path, spared: str) -> Iterator[str]:
    for where, _, names in os.walk(folder):
        for name in names:
            if not name.startswith(spared):
                yield os.path.join(where, name)


def _lease(file: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        # The kernel says when somebody waits, by a signal that would end this process
        # unless it is one that is ignored.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError:  # it is being written, or not on this file system
        return False
    return True
