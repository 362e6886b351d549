"""Enters a sandbox that bubblewrap has made, for good: nothing leads out again.

The sandbox is bubblewrap's, and so is all that holds in it. Who joins it brings what
it has in memory, so libraries need not be imported once for each sandbox; it must
hold nothing else that is open, and gives up what bubblewrap lets nobody have inside.
"""

from __future__ import annotations

import ctypes
import os
import sys

NS_GET_USERNS = 0xB701  # linux/nsfs.h: which user namespace another one belongs to
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38  # linux/prctl.h
CAPABILITIES = 64  # more than Linux has
CAPABILITY_VERSION_3 = 0x20080522  # linux/capability.h
# Mounts last: with them the paths change.
NAMESPACES = ("ipc", "uts", "net", "cgroup", "pid", "mnt")


def join(pid: int) -> None:
    """Enter the namespaces of a process; only later children are in that of pids.

    Raises:
        OSError: the kernel refused one of them, or there is no such process.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    ours = {name: _identity(name) for name in (*NAMESPACES, "user")}
    theirs = {name: os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY) for name in ours}
    # An ordinary user may enter them from the user namespace that they belong to. It
    # is not the one of whoever is inside: that one may have no others below it.
    owning = libc.ioctl(theirs["mnt"], NS_GET_USERNS)
    if owning < 0:
        raise OSError(ctypes.get_errno(), "whose are its namespaces?")
    here = ours["user"]
    for name, fd in [("user", owning), *theirs.items()]:
        is_it = _of(fd)
        if is_it != (here if name == "user" else ours[name]):
            if libc.setns(fd, 0):
                raise OSError(ctypes.get_errno(), f"not let into its {name} namespace")
            here = is_it if name == "user" else here
        os.close(fd)


def give_up() -> None:
    """Give up for good to get any right back; those still held are kept.

    Raises:
        OSError: the kernel refused.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel refused PR_SET_NO_NEW_PRIVS")
    for capability in range(CAPABILITIES):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # what is none is refused


def drop_capabilities() -> None:
    """Give up root's capabilities, where it is root: none, of all three sets.

    Raises:
        OSError: the kernel refused.
    """
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    if ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError("the kernel refused to drop capabilities")


def _identity(name: str) -> tuple[int, int]:
    found = os.stat(f"/proc/self/ns/{name}")
    return found.st_dev, found.st_ino


def _of(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


if __name__ == "__main__":  # whether one can be entered here; see bubblewrap.available
    join(int(sys.argv[1]))
