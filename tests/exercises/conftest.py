"""One warm harness for all submissions that a pytest worker judges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grader import catalog, runner
from grader.harness.harness import Harness
from grader.harness.launchers import best_launcher
from grader.vocabulary import Verdict

Judge = Callable[..., Verdict]


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """Return what judges a text: `judge(stem, text, seed=…, processes=…)`."""
    with asyncio.Runner() as loop:
        harness = Harness(best_launcher())
        loop.run(harness.__aenter__())

        def judged(stem: str, text: str, **how: Any) -> Verdict:
            exercise = catalog.load(stem)
            return loop.run(runner.check(harness, stem, exercise, text, **how)).verdict

        yield judged
        loop.run(harness.__aexit__(None, None, None))
