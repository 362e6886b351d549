"""One warm harness for all submissions that a pytest worker judges."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from grader import catalog, runner
from grader.harness.harness import Harness
from grader.harness.launchers import best_launcher
from grader.vocabulary import History, Verdict


class Judge:
    """What judges a text, `judge(stem, text, seed=…, processes=…)`, or looks at it."""

    def __init__(self, harness: Harness, loop: asyncio.Runner) -> None:
        self.harness, self._loop = harness, loop

    def __call__(self, stem: str, text: str, **how: Any) -> Verdict:
        """Return the verdict on a submission."""
        exercise = catalog.load(stem)
        checking = runner.check(self.harness, stem, exercise, text, **how)
        return self._loop.run(checking).verdict

    def observe(self, stem: str, text: str, scenarios: Iterable[str]) -> History:
        """Return what happens in some scenarios, unjudged."""
        exercise = catalog.load(stem)
        seeing = runner.observe(self.harness, stem, exercise, text, scenarios)
        return self._loop.run(seeing)


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """One judge, whose harness is open until all tests have ended."""
    with asyncio.Runner() as loop:
        harness = Harness(best_launcher())
        loop.run(harness.__aenter__())
        yield Judge(harness, loop)
        loop.run(harness.__aexit__(None, None, None))
