"""Removes what owners that were killed have left: folders, and who works in them."""

from __future__ import annotations

import shutil
from pathlib import Path

from grader.harness.strays import end_strays
from grader.locked import stale

RUN = "grader-run-"
KERNEL = "grader-kernel-"


def remove_stale(parent: Path, prefix: str) -> None:
    """Remove folders whose owner is gone, and end the processes at home in them."""
    for folder in stale(parent, prefix):
        end_strays(str(folder))
        shutil.rmtree(folder, ignore_errors=True)
