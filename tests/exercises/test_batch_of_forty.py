"""Forty tickets over two processes, as ex05's notebook observes them: few fail."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader import catalog, runner
from grader.bench import solution_of
from grader.exercises.ex05_non_dict_returns import OUTAGE, PRESSING, RARE, REFUND
from grader.harness.harness import Harness
from grader.harness.launchers import best_launcher
from grader.vocabulary import Run

STEM = "ex05_non_dict_returns"
STARTER = Path(__file__).parents[2] / "notebooks" / STEM / "starter.py"
KINDS = [RARE.get(number % 8, ("question", "normal")) for number in range(40)]
SAID = {
    REFUND: "Expected dict, got refunded: ",
    OUTAGE: "At key 'notes': Can receive only one value per step",
}
Watch = Callable[[str], Run]


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    """Return what runs the batch as `observe` does in the notebook, unjudged."""
    exercise = catalog.load(STEM)
    with asyncio.Runner() as loop:
        harness = Harness(best_launcher())
        loop.run(harness.__aenter__())

        def watched(text: str) -> Run:
            seen = runner.observe(harness, STEM, exercise, text, ["batch"])
            return loop.run(seen).runs["batch"]

        yield watched
        loop.run(harness.__aexit__(None, None, None))


def test_the_starter_fails_by_kind_alone(watch: Watch) -> None:
    """one of four raises, the same two kinds in both processes, where their neighbours
    are answered; a pressing question stays new, and nobody is told"""
    replies = watch(STARTER.read_text(encoding="utf-8")).replies
    assert len(replies) == 40
    for kind, reply in zip(KINDS, replies, strict=True):
        if kind in SAID:
            assert reply.data["error"] == "InvalidUpdateError"
            assert SAID[kind] in reply.data["message"]
        else:
            status = "new" if kind == PRESSING else "answered"
            assert (reply.at("status"), reply.at("notes")) == (status, [])
    assert Counter(reply.ok for reply in replies) == {True: 30, False: 10}
    failed = zip(KINDS, replies, strict=True)
    assert {(kind, reply.process) for kind, reply in failed if not reply.ok} == {
        (kind, process) for kind in SAID for process in (0, 1)
    }
    assert {reply.process for reply in replies if reply.ok} == {0, 1}


def test_the_solution_answers_all(watch: Watch) -> None:
    """with each node's value an update, all forty have a status and their notes"""
    replies = watch(solution_of(STEM)).replies
    status = {"question": "answered", "refund": "refunded", "outage": "escalated"}
    for (kind, priority), reply in zip(KINDS, replies, strict=True):
        assert reply.at("status") == status[kind]
        assert reply.at("priority") == priority
        assert len(reply.texts("notes")) == (2 if kind == "outage" else 1)
    assert {reply.process for reply in replies} == {0, 1}
