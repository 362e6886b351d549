"""Ends what a run left behind when its own guard, the forkserver, was killed too."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import psutil

ROUNDS = 20  # a stray that forks while it is looked for is found in the next one


def end_strays(folder: str) -> None:
    """Kill every process that was started, or works, in a scratch folder.

    A process that has left its parents, its group and its session still has the
    environment that it was started with, where HOME is in the folder. One that wipes
    its memory of that and changes its folder is out of reach without a namespace.
    """
    for _ in range(ROUNDS):
        found = list(_strays(folder))
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()  # checks that the pid is still the same process
        if not found:
            return


def _strays(folder: str) -> Iterator[psutil.Process]:
    me = os.getpid()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == me or process.status() == psutil.STATUS_ZOMBIE:
                continue
            places = (process.environ().get("HOME", ""), process.cwd())
            if any(f"{place}/".startswith(f"{folder}/") for place in places):
                yield process
