"""Ends what a run left behind when its own guard, the forkserver, was killed too."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import psutil

ROUNDS = 20  # a stray that forks while it is looked for is found in the next one


def end_strays(folder: str) -> None:
    """Kill every process that was started with its home in a scratch folder.

    A process that has left its parents, its group and its session still has the
    environment that it was started with, where HOME is in the folder. One that has
    started a program without it is out of reach where there is no namespace.
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
            home = process.environ().get("HOME", "")
            if f"{home}/".startswith(f"{folder}/"):
                yield process
