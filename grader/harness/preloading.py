"""Imports the libraries once, in such a way that processes forked later are cheap."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import sys
from collections.abc import Sequence

MADV_COLLAPSE = 25  # linux/mman.h, since Linux 6.1
LARGE_B = 2 * 1024 * 1024  # a large page


def preload(names: Sequence[str]) -> dict[str, str]:
    """Import each `module`, call each `module:function`; return what failed."""
    problems = {}
    gc.disable()  # an import makes much and leaves little: looking takes a sixth of it
    for name in names:
        module, _, function = name.partition(":")
        try:
            imported = importlib.import_module(module)
            if function:
                getattr(imported, function)()
        except Exception as problem:  # only slower without it
            problems[name] = repr(problem)
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, shared pages
    gc.enable()
    enlarge_pages()
    return problems


def enlarge_pages() -> int:
    """Have Linux hold in large pages what is in memory; return how many bytes it does.

    To fork, and to end what was forked, takes a step for each page. One that a child
    writes to is copied as ever, 4 KiB at a time.
    """
    held = 0
    with contextlib.suppress(OSError, AttributeError, ValueError):  # only slower then
        advise = ctypes.CDLL(None).madvise
        advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start, end in _anonymous():
            first, last = -(-start // LARGE_B) * LARGE_B, end // LARGE_B * LARGE_B
            if first < last and not advise(first, last - first, MADV_COLLAPSE):
                held += last - first
    return held


def _anonymous() -> list[tuple[int, int]]:
    """Return where memory begins and ends that is no file's and may be written to."""
    if sys.platform != "linux":
        return []
    found = []
    with open("/proc/self/maps", encoding="ascii", errors="replace") as file:
        for line in file:
            place, rights, _, _, inode, *name = line.split()
            if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
                start, _, end = place.partition("-")
                found.append((int(start, 16), int(end, 16)))
    return found
