"""Looks at all processes of a run: how many they are, and how much they hold."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

from grader.harness.limits import (
    FOLDER_FILES_LIMIT,
    FOLDER_LIMIT_B,
    MIB,
    TREE_MEMORY_LIMIT_B,
    TREE_PROCESSES_LIMIT,
)

BLOCK_B = 512  # what st_blocks counts, whatever the file system's own blocks are


def excess(root_pid: int, expected: int, folder: Path) -> dict[str, str]:
    """Return which limit of the whole run is passed, if one is.

    `expected` is how many processes the harness itself has started; the limits are
    for what comes on top of these. All of the run's files are in `folder`.
    """
    return _processes(root_pid, expected) or _files(folder)


def _files(folder: Path) -> dict[str, str]:
    count, size_b = 0, 0
    for where, _, names in os.walk(folder):
        count += len(names)
        if count > FOLDER_FILES_LIMIT:
            break
        for name in names:
            with contextlib.suppress(OSError):  # gone meanwhile
                size_b += os.lstat(os.path.join(where, name)).st_blocks * BLOCK_B
    if count > FOLDER_FILES_LIMIT:
        limit = f"{FOLDER_FILES_LIMIT} files"
        return {"what": "files", "limit": limit, "found": "more"}
    if size_b > FOLDER_LIMIT_B:
        limit, found = f"{FOLDER_LIMIT_B // MIB} MiB", f"{size_b // MIB} MiB"
        return {"what": "disk", "limit": limit, "found": found}
    return {}


def _processes(root_pid: int, expected: int) -> dict[str, str]:
    try:
        tree = psutil.Process(root_pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return {}
    most = TREE_PROCESSES_LIMIT + expected
    if len(tree) > most:
        found = str(len(tree))
        return {"what": "processes", "limit": f"{most} processes", "found": found}
    if _resident_b(tree) <= TREE_MEMORY_LIMIT_B:
        return {}
    own_b = _own_b(tree)  # exact and slow, so it is asked second
    if own_b <= TREE_MEMORY_LIMIT_B:
        return {}
    limit = f"{TREE_MEMORY_LIMIT_B // MIB} MiB"
    return {"what": "memory", "limit": limit, "found": f"{own_b // MIB} MiB"}


def _resident_b(tree: list[psutil.Process]) -> int:
    """Return an upper bound: pages of the forkserver's count once for each fork."""
    total = 0
    for process in tree:
        with contextlib.suppress(psutil.Error):
            memory = process.memory_info()
            total += memory.rss - getattr(memory, "shared", 0)
    return total


def _own_b(tree: list[psutil.Process]) -> int:
    total = 0
    for process in tree:
        with contextlib.suppress(psutil.Error):
            total += process.memory_full_info().uss
    return total
