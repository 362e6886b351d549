"""What a process gives up before it imports a submission."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import sys

from grader.harness.limits import (
    ARENAS_LIMIT,
    FILE_LIMIT_B,
    MEMORY_LIMIT_B,
    OPEN_FILES_LIMIT,
    USER_PROCESSES_MARGIN,
)

M_ARENA_MAX = -8  # the GNU C library's own number for it


def confine(log: str, cwd: str) -> None:
    """Set limits, the working folder and the standard streams of this process."""
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, target)
    os.close(output)
    os.close(nothing)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What was printed is there however the process ends, and no text that is
            # printed, half a surrogate pair for one, is what makes a call fail.
            stream.reconfigure(
                encoding="utf-8", errors="backslashreplace", line_buffering=True
            )
    os.chdir(cwd)
    limit()


def limit() -> None:
    """Set the resource limits that this platform has."""
    if sys.platform == "win32":
        return
    import resource

    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: FILE_LIMIT_B,
        resource.RLIMIT_NOFILE: OPEN_FILES_LIMIT,
    }
    if sys.platform == "linux":  # elsewhere these are refused or count otherwise
        share_arenas()
        limits[resource.RLIMIT_AS] = MEMORY_LIMIT_B
        if os.getuid():  # root is not bound by it; the supervisor watches the tree
            limits[resource.RLIMIT_NPROC] = _tasks() + USER_PROCESSES_MARGIN
    for kind, value in limits.items():
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(kind, (value, value))


def share_arenas() -> None:
    """Let OS threads share address space for what they allocate.

    The GNU C library sets aside 64 MiB for each of up to eight arenas a processor, so
    48 OS threads would fit into the limit on a small machine, and hardly on a large.
    """
    with contextlib.suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS_LIMIT)


def _tasks() -> int:
    """Return how many tasks (OS threads) run on this machine, other users' included."""
    with open("/proc/loadavg", encoding="ascii") as file:
        return int(file.read().split()[3].partition("/")[2])
