"""How much memory processes hold: what they share counts, and counts once."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import psutil


def held_b(processes: Sequence[psutil.Process], limit_b: int) -> int:
    """Return how much memory processes hold; where it is below a limit, at most."""
    # A quick upper bound: pages of the forkserver's count once for each fork.
    bounds_b = {process: _held_b(process) for process in processes}
    total_b = sum(bounds_b.values())
    for process in sorted(bounds_b, key=bounds_b.__getitem__, reverse=True):
        if total_b <= limit_b:
            break
        total_b += _own_b(process) - bounds_b[process]
    return total_b


def _held_b(process: psutil.Process) -> int:
    """Return what a process holds beside files: memory that it shares as well."""
    with contextlib.suppress(psutil.Error):
        memory = process.memory_info()
        return int(memory.rss - getattr(memory, "shared", 0) + _shared_b(process.pid))
    return 0


def _shared_b(pid: int) -> int:
    """Return how much shared memory is mapped, which Linux counts with the files."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        status = Path(f"/proc/{pid}/status").read_bytes()
        return int(status.partition(b"RssShmem:")[2].split(maxsplit=1)[0]) * 1024
    return 0


def _own_b(process: psutil.Process) -> int:
    """Return what it holds: what several share, a fork's memory too, counts once."""
    try:
        memory = process.memory_full_info()
        return int(getattr(memory, "pss", memory.uss))
    except psutil.AccessDenied:  # it has closed itself to others
        return _held_b(process)
    except psutil.Error:
        return 0
