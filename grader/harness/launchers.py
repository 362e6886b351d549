"""Chooses how workers are started on this platform."""

from __future__ import annotations

import contextlib
import os
import socket

from grader.harness import tiers
from grader.harness.fork_launcher import ForkLauncher
from grader.harness.launch import GraderBroke, Launcher
from grader.harness.preloaded import PRELOAD, Preloaded
from grader.harness.spawn_launcher import SpawnLauncher


def best_launcher(preloaded: Preloaded | None = None) -> Launcher:
    """Return forked workers where the platform forks, spawned ones elsewhere.

    What stands around them is the best that there is here. Launchers that are given
    the same `preloaded` share what it has imported.
    """
    if not hasattr(os, "fork"):
        return SpawnLauncher()
    return ForkLauncher(tiers.best(), preloaded)


def shared(control: socket.socket | None = None) -> Preloaded:
    """Return what several harnesses of one process may share; its owner closes it.

    `control` is what such a zygote obeys, if there is one already.
    """
    return Preloaded([tiers.FORKSERVER, *PRELOAD], control=control)


def handed_on(preloaded: Preloaded) -> socket.socket | None:
    """Return what a new zygote obeys, for another process to have.

    None below the first tier, which needs none; and where this one has just ended:
    the other process then starts its own.
    """
    if tiers.best() == tiers.ISOLATED:
        with contextlib.suppress(GraderBroke):
            return preloaded.branch()
    return None
