"""A night of the starter, observed once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from grader import catalog, runner
from grader.harness.harness import Harness
from grader.harness.launchers import best_launcher
from grader.vocabulary import Run

STEM = "ex10_on_call"


@pytest.fixture(scope="session")
def judged_night() -> Run:
    """The run that a learner reports on."""

    async def observed() -> Run:
        starter = Path(__file__).parents[2] / "notebooks" / STEM / "starter.py"
        text = starter.read_text("utf-8")
        async with Harness(best_launcher()) as harness:
            exercise = catalog.load(STEM)
            seen = await runner.observe(harness, STEM, exercise, text, ["night"])
            return seen.runs["night"]

    return asyncio.run(observed())
