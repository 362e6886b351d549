"""Holds a database from inside: a submission of ours, walled in as theirs are.

Who opens a file that a submission has made can be led elsewhere by it, or ended. It is
imported as a submission is, and must not need anything of the grader.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sqlite3
import stat
import sys
from collections.abc import Iterator

held: list[
    object
] = []  # until this process ends, so that all of it is released at once


def hold(database: str, limit_s: float, files_limit: int) -> bool:
    """Let whoever writes to a database, or opens a file beside it for writing, wait.

    Returns:
        Whether anything is held: not where no database is, or is written for
        `limit_s`, and no file beside it is held either.
    """
    folder, name = os.path.split(database)
    held.extend(leases(folder, name, files_limit))
    is_file = os.path.isfile(database) and not os.path.islink(database)
    if is_file or not os.path.lexists(database):
        # What a submission has put there may be no database, or in use.
        with contextlib.suppress(sqlite3.Error):
            connection = sqlite3.connect(database, limit_s, isolation_level=None)
            connection.execute("BEGIN IMMEDIATE")
            held.append(connection)
    return bool(held)


def leases(folder: str, spared: str, limit: int) -> list[int]:
    """Hold the files of a folder against writers, by leases of the kernel.

    Reading goes on, and so does making a file. Files whose names begin with `spared`
    are left alone, one that somebody is writing already, and all that come after the
    first `limit`. Other systems than Linux have no leases: nothing is held there. A
    lease ends by itself after /proc/sys/fs/lease-break-time seconds, usually 45.

    Returns:
        A file descriptor for each file that is held; its end is the end of the lease.
    """
    if sys.platform != "linux":
        return []
    found = []
    for path in itertools.islice(_files(folder, spared), limit):
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:  # it has gone, or is a link
            continue
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError(f"expected a file, found {path}")
            _lease(file)
        except OSError:  # or it is being written, or its file system has no leases
            os.close(file)
        else:
            found.append(file)
    return found


def _files(folder: str, spared: str) -> Iterator[str]:
    waiting = [folder]
    while waiting:  # one folder after the other, however deep they are
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif not entry.name.startswith(spared):
                    yield entry.path


def _lease(file: int) -> None:
    import fcntl  # there is none on Windows

    # The kernel says when somebody waits, by a signal that would end this process
    # unless it is one that is ignored.
    fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
