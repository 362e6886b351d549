"""Landlock, the Linux kernel's own confinement for a process without privileges.

There is no maintained package for it, and it is three system calls. Constants are
those of linux/landlock.h; a right that this kernel does not know is left out.
"""

from __future__ import annotations

import ctypes
import os
import stat
import sys
from collections.abc import Sequence

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every machine
VERSION_FLAG = 1
PATH_BENEATH, NET_PORT = 1, 2
SIGNAL_SCOPE_ABI = 6  # Linux 6.12: processes apart cannot signal each other either

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REMOVE_DIR, REMOVE_FILE = 1 << 4, 1 << 5
# Folder, file, socket, link; no named pipe, which whoever opens it outside waits for.
MAKE = sum(1 << bit for bit in (7, 8, 9, 12))
MAKE_DEVICE = 1 << 6 | 1 << 11
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
BIND_TCP, CONNECT_TCP = 1, 2
ABSTRACT_SOCKETS, SIGNALS = 1, 2

READ = EXECUTE | READ_FILE | READ_DIR
WRITE = READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE | REFER | TRUNCATE
OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
O_PATH = getattr(os, "O_PATH", 0)


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("fs", ctypes.c_uint64),
        ("net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"  # what a packed structure has; newer versions of Python ask for it
    _fields_ = (("access", ctypes.c_uint64), ("parent", ctypes.c_int32))


class _Port(ctypes.Structure):
    _fields_ = (("access", ctypes.c_uint64), ("port", ctypes.c_uint64))


def version() -> int:
    """Return the version of Landlock that this kernel has; 0 where it has none."""
    if sys.platform != "linux":
        return 0
    found: int = ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION_FLAG)
    return max(0, found)


def restrict(
    read: Sequence[str], write: Sequence[str], connect: Sequence[int] | None
) -> None:
    """Confine this process, for good, to what lies below some paths.

    Args:
        read: files and folders to read and execute; one that is missing is left out.
        write: those to change too.
        connect: ports of TCP to connect to, and no other; None leaves TCP alone.

    Raises:
        OSError: the kernel refused.
    """
    abi = version()
    rights = (1 << (13 + (abi >= 2) + (abi >= 3))) - 1 | (IOCTL_DEVICE * (abi >= 5))
    net = BIND_TCP | CONNECT_TCP if connect is not None and abi >= 4 else 0
    scoped = ABSTRACT_SOCKETS | SIGNALS if abi >= SIGNAL_SCOPE_ABI else 0
    attributes = _Ruleset(rights, net, scoped)
    # A kernel of an earlier version takes the start of the structure that it knows.
    size = 8 if abi < 4 else 16 if abi < SIGNAL_SCOPE_ABI else 24
    ruleset = _call(CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        for paths, access in ((read, READ), (write, WRITE | IOCTL_DEVICE)):
            for path in paths:
                _allow(ruleset, path, access & rights)
        for port in (connect or ()) if net else ():
            _call(
                ADD_RULE, ruleset, NET_PORT, ctypes.byref(_Port(CONNECT_TCP, port)), 0
            )
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        parent = os.open(path, O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            access &= OF_A_FILE
        rule = _PathBeneath(access, parent)
        _call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(parent)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    result: int = libc.syscall(number, *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result
