"""Chooses how workers are started on this platform."""

from __future__ import annotations

import os

from grader.harness import tiers
from grader.harness.fork_launcher import ForkLauncher
from grader.harness.launch import Launcher
from grader.harness.spawn_launcher import SpawnLauncher


def best_launcher() -> Launcher:
    """Return forked workers where the platform forks, spawned ones elsewhere.

    What stands around them is the best that there is here.
    """
    return ForkLauncher(tiers.best()) if hasattr(os, "fork") else SpawnLauncher()
