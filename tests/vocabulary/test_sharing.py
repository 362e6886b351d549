"""What several processes do with one database: each word fails where it is not so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from grader.vocabulary import CheckFailed, Run
from grader.vocabulary.sharing import connected, lives_on, started
from tests.vocabulary import made
from tests.vocabulary.made import call, raised, reply, run, stored

QUEUE = (0, "queue", {"event": "t", "how": "waits", "behind": []})
BROKEN = (1, "broken", {"error": "UniqueViolation", "message": "oh", "line": 3})
said = made.answered


def released(**connections: int) -> made.Event:
    counts = {name[1:]: count for name, count in connections.items()}
    data: dict[str, Any] = {"event": "t", "inside": 1, "expected": 1}
    return None, "released", {**data, "connections": counts}


def odd(*events: made.Event) -> Run:
    """Return a run whose second turn is the odd one, and whose third asks again."""
    return run(
        *(call(1), reply(1, "Ada"), stored(["Ada"]), call(2), *events),
        *(call(3), reply(3, "you are Ada")),
    )


TAKEN = (said(1, "x (p 1)"), reply(2, "x (p 1)"), stored(["x (p 1)"]))
WORDS: dict[str, tuple[Callable[[Run], object], Run, Run, str]] = {
    "started": (
        started,
        run(QUEUE, call(1), reply(1, "a")),
        run(QUEUE, BROKEN, call(1), raised(1, "not_run")),
        "one process of 1 did not start",
    ),
    "started and answered": (
        started,
        run(call(1), reply(1, "a")),
        run(call(1), raised(1, "UndefinedTable")),
        "chat raised UndefinedTable in process 0",
    ),
    "connected": (
        lambda r: connected(r, most=4),
        run(released(p0=4, p1=4)),
        run(released(p0=4, p1=5)),
        "process 1 had 5 connections open, not 4",
    ),
    "lives on, refused": (
        lambda r: lives_on(r, "Ada"),
        odd(raised(2, "UntranslatableCharacter"), stored(["Ada"])),
        odd(raised(2, "hang"), stored(["Ada"])),
        "chat did not return in process 0: oh",
    ),
    "lives on, stored": (
        lambda r: lives_on(r, "Ada"),
        odd(*TAKEN),
        odd(*TAKEN[:2], stored(["Ada"])),
        "no checkpoint in `CHECKPOINT_DB` holds 'p 1)'",
    ),
    "lives on, said": (
        lambda r: lives_on(r, "Ada"),
        odd(*TAKEN),
        odd(said(1, "x (p 1)"), reply(2, "Sorry"), stored(["Ada"])),
        "the answer is not the model's, and no error says why",
    ),
    "lives on, goes on": (
        lambda r: lives_on(r, "Ada"),
        odd(*TAKEN),
        run(
            *(call(1), reply(1, "Ada"), stored(["Ada"]), call(2), *TAKEN),
            *(call(3), reply(3, "who are you")),
        ),
        "after an odd reply the thread has forgotten what came before",
    ),
}


@pytest.mark.parametrize(
    ("word", "right", "wrong", "rationale"), WORDS.values(), ids=WORDS
)
def test_a_word_fails_where_it_is_not_so(
    word: Callable[[Run], object], right: Run, wrong: Run, rationale: str
) -> None:
    """a word passes one run, and fails another with what was seen, as evidence too"""
    word(right)
    with pytest.raises(CheckFailed) as failed:
        word(wrong)
    assert failed.value.rationale == rationale
    assert failed.value.because


def test_connections_that_nobody_counts() -> None:
    """where a system does not say who opened a connection, none is too many"""
    connected(run((None, "released", {"event": "t", "inside": 0, "expected": 0})), 4)
