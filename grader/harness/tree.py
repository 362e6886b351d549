"""Watches a whole run: how many processes it has, and how much they all hold."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil

from grader.harness.burnt import Burnt
from grader.harness.limits import (
    CHILDREN_CPU_LIMIT_S,
    FOLDER_FILES_LIMIT,
    FOLDER_LIMIT_B,
    MIB,
    SERVER_LIMIT_B,
    SERVER_MEMORY_LIMIT_B,
    SERVER_WATCHED_EVERY,
    TREE_MEMORY_LIMIT_B,
    TREE_PROCESSES_LIMIT,
    WATCH_PERIOD_S,
)
from grader.harness.memory import held_b
from grader.harness.process import SubmissionBroken
from grader.postgres.scratch import DATA
from grader.sandbox.folders import walk
from grader.vocabulary import Observation

if TYPE_CHECKING:
    from grader.harness.databases import Databases
    from grader.harness.launch import Launcher

BLOCK_B = 512  # what st_blocks counts, whatever the file system's own blocks are


async def watch(
    launcher: Launcher, databases: Databases, expected: int, folder: Path
) -> NoReturn:
    """Look again and again, until something is too much.

    Raises:
        SubmissionBroken: a limit is passed, for which the submission is to blame.
    """
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    burnt = Burnt()
    for look in itertools.count():
        await asyncio.wait({never}, timeout=WATCH_PERIOD_S)
        server = databases.folder
        passed = await asyncio.to_thread(excess, launcher, expected, folder, burnt)
        if not passed and server and look % SERVER_WATCHED_EVERY == 0:
            passed = await asyncio.to_thread(server_excess, server)
        if passed:
            raise SubmissionBroken(Observation(1, "limit", None, 0.0, passed))
    raise AssertionError("the count has no end")


def excess(
    launcher: Launcher, expected: int, folder: Path, burnt: Burnt
) -> dict[str, str]:
    """Return which limit of the whole run is passed, if one is.

    `expected` is how many processes the harness itself has started; the limits are
    for what comes on top of these. All of the run's files are in `folder`.
    """
    return _processes(launcher, expected, burnt) or _files(folder)


def _size_b(file: str) -> int:
    with contextlib.suppress(OSError):  # gone meanwhile
        about = os.lstat(file)  # one with holes takes as long to read as another
        return max(about.st_size, about.st_blocks * BLOCK_B)
    return 0


def server_excess(folder: Path) -> dict[str, str]:
    """Return which limit of a database server is passed, if one is.

    Its processes are no children of the run's, and its files are in another folder.
    """
    return _server_files(folder) or _server_memory(folder)


def _server_memory(folder: Path) -> dict[str, str]:
    try:
        number = (folder / DATA / "postmaster.pid").read_text("utf-8").split()[0]
        family = psutil.Process(int(number)).children()
    except (OSError, ValueError, IndexError, psutil.Error):  # it starts, or has ended
        return {}
    held = held_b(family, SERVER_MEMORY_LIMIT_B)
    return _too_large("memory of the database", held, SERVER_MEMORY_LIMIT_B)


def _server_files(folder: Path) -> dict[str, str]:
    size_b = sum(
        _size_b(os.path.join(where, name))
        for where, _, names in os.walk(folder)
        for name in names
    )
    return _too_large("database", size_b, SERVER_LIMIT_B)


def _files(folder: Path) -> dict[str, str]:
    count, size_b = 0, 0
    for entry in walk(folder):
        count += 1
        if count > FOLDER_FILES_LIMIT:
            break
        size_b += _size_b(entry.path)
    if count > FOLDER_FILES_LIMIT:
        limit = f"{FOLDER_FILES_LIMIT} files"
        return {"what": "files", "limit": limit, "found": "more"}
    return _too_large("disk", size_b, FOLDER_LIMIT_B)


def _too_large(what: str, size_b: int, limit_b: int) -> dict[str, str]:
    if size_b <= limit_b:
        return {}
    limit, found = f"{limit_b // MIB} MiB", f"{size_b // MIB} MiB"
    return {"what": what, "limit": limit, "found": found}


def _processes(launcher: Launcher, expected: int, burnt: Burnt) -> dict[str, str]:
    found, tops = set[psutil.Process](), list(launcher.roots())
    ours, workers = {*tops, *launcher.between()}, {*launcher.started()}
    for root in tops:  # one of which may descend from another
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(root)
            found.update([top, *top.children(recursive=True)])
    tree = list(found)
    most, count = TREE_PROCESSES_LIMIT + expected, len(tree) - len(tops)
    if count > most:
        limit = f"{most} processes"
        return {"what": "processes", "limit": limit, "found": str(count)}
    burnt_s = burnt.look(tree, ours - workers, workers)
    if burnt_s > CHILDREN_CPU_LIMIT_S:
        limit = f"{CHILDREN_CPU_LIMIT_S} s of processor time"
        return {"what": "children", "limit": limit, "found": f"{burnt_s:.0f} s"}
    own_b = held_b(tree, TREE_MEMORY_LIMIT_B)
    return _too_large("memory", own_b, TREE_MEMORY_LIMIT_B)
