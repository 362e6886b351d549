"""A scratch folder of limited size: memory mounted where nobody else sees it.

A walk over a folder finds what is too large a moment late, and does not find files
that were removed and are still open. A file system that is too small cannot be filled
beyond its size.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

# linux/mount.h and linux/sched.h
MS_NOSUID, MS_NODEV, MS_REC, MS_SLAVE = 2, 4, 1 << 14, 1 << 19
MNT_DETACH = 2
CLONE_NEWNS = 0x20000

_own = False  # whether this process has mounts of its own


def own() -> bool:
    """Give this process mounts of its own; return whether it has them now.

    To be called at the start of a process, before it has a second OS thread. Its
    children share its mounts; when the last of them ends, the mounts are gone. Only
    root may mount; for others, a walk over the folder has to do.
    """
    global _own
    if _own or sys.platform != "linux" or os.getuid():
        return _own
    libc = ctypes.CDLL(None)
    if libc.unshare(CLONE_NEWNS):
        return False
    # What is mounted elsewhere arrives here, and nothing goes the other way.
    _own = not libc.mount(None, b"/", None, MS_REC | MS_SLAVE, None)
    return _own


def limit(folder: Path, size_b: int, files: int) -> bool:
    """Mount memory of limited size over an empty folder, if this process may."""
    if not _own:
        return False
    options = f"size={size_b},nr_inodes={files},mode=0755".encode()
    flags = MS_NOSUID | MS_NODEV
    libc = ctypes.CDLL(None)
    return not libc.mount(b"tmpfs", bytes(folder), b"tmpfs", flags, options)


def release(folder: str) -> None:
    """Take away what `limit` has mounted, if it has."""
    if os.path.ismount(folder):
        ctypes.CDLL(None).umount2(os.fsencode(folder), MNT_DETACH)
