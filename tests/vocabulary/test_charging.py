"""Each word about the ledger passes and fails where it says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.vocabulary import CheckFailed, Run
from grader.vocabulary.charging import (
    KEY,
    PAID,
    believed,
    charged,
    once,
    paying_at_once,
)
from tests.vocabulary.made import Event, call, charge, killed, raised, reply, run

SAID = {"status": "paid", "charge_id": "ch_1"}
AFTER_ANOTHER = "a request reached the ledger after another one was answered there"
THINKS = "what does a server do while the ledger thinks?"
TWO_KEYS = "two attempts sent two keys"
Word = Callable[[Run], object]


def events(*seen: Event) -> Run:
    """Return a run in which order A of 900 was asked for."""
    return run(call(1), *seen, order="A", amount="900")


def one(made: Run) -> None:
    charged(made, "A", "900")


def paid_once(made: Run) -> None:
    once(made, "A", "900")


def told(made: Run) -> None:
    believed(made, made.replies[0], "A")


def side_by_side(made: Run) -> None:
    paying_at_once(made, 1)


def at_till(process: int) -> Event:
    return process, "held", {"event": "charge"}


RELEASED = None, "released", {"event": "charge"}
RIGHT: dict[str, tuple[Word, Run]] = {
    "one": (one, events(charge("A"))),
    "one, asked for twice": (one, events(charge("A"), charge("A", new=False))),
    "once": (paid_once, events(charge("A"), reply(1, {**SAID, "more": 1}))),
    "once after a kill": (
        paid_once,
        events(charge("A"), killed(), raised(1, "killed"), call(2), reply(2, SAID)),
    ),
    "believed": (told, events(charge("A"), reply(1, SAID))),
    "says that it does not know": (told, events(reply(1, {"status": "unknown"}))),
    "raises": (told, events(raised(1, "HTTPError"))),
    "two at once": (side_by_side, events(at_till(1), at_till(1), RELEASED)),
}
WRONG: dict[str, tuple[Word, Run, str, str]] = {
    "none": (
        one,
        events(reply(1, SAID)),
        "nothing was charged for the order",
        "what did the ledger answer",
    ),
    "refused": (
        one,
        events(charge("A", id="", new=False)),
        "nothing was charged for the order",
        "what did the ledger answer",
    ),
    "paid by a charge without a name": (
        told,
        events(
            charge("A", id="", new=False), reply(1, {"status": "paid", "charge_id": ""})
        ),
        "it said `paid`, and named no charge of the ledger",
        "what does your code know",
    ),
    "no order": (
        one,
        events(charge("A"), charge("B")),
        "something was charged that is no order",
        "what does the ledger need to see",
    ),
    "twice without a key": (
        one,
        events(charge("A"), charge("A", id="ch_2")),
        "an order of 900 was charged 2 times: 1800 in all",
        KEY,
    ),
    "twice with two keys": (
        one,
        events(charge("A", key="a"), charge("A", id="ch_2", key="b")),
        "an order of 900 was charged 2 times: 1800 in all",
        TWO_KEYS,
    ),
    "another amount": (
        one,
        events(charge("A", amount=9)),
        "the order was of 900, and 9 was charged",
        "an amount is in cents",
    ),
    "another charge": (
        paid_once,
        events(charge("A", id="ch_2"), reply(1, SAID)),
        "expected charge_id 'ch_2', found 'ch_1'",
        PAID,
    ),
    "raised": (
        paid_once,
        events(charge("A"), raised(1, "ValueError")),
        "chat raised ValueError in process 0",
        "",
    ),
    "paid before the charge": (
        told,
        events(reply(1, SAID), charge("A")),
        "it said `paid`, and named no charge of the ledger",
        "what does your code know",
    ),
    "paid with another's charge": (
        told,
        events(charge("B"), reply(1, SAID)),
        "it said `paid`, and named no charge of the ledger",
        "what does your code know",
    ),
    "one at a time": (
        side_by_side,
        events(at_till(1), at_till(2), RELEASED, at_till(1)),
        AFTER_ANOTHER,
        THINKS,
    ),
    "nobody pays": (side_by_side, events(), AFTER_ANOTHER, THINKS),
    "names a list": (
        told,
        events(charge("A"), reply(1, {"status": "paid", "charge_id": ["ch_1"]})),
        "it said `paid`, and named no charge of the ledger",
        "what does your code know",
    ),
}


@pytest.mark.parametrize(("word", "right"), RIGHT.values(), ids=RIGHT)
def test_a_word_passes(word: Word, right: Run) -> None:
    """what was charged once, or is not claimed, passes"""
    word(right)


@pytest.mark.parametrize(
    ("word", "wrong", "rationale", "help"), WRONG.values(), ids=WRONG
)
def test_a_word_fails(word: Word, wrong: Run, rationale: str, help: str) -> None:
    """a word fails with what was seen, the evidence, and what to ask oneself"""
    with pytest.raises(CheckFailed) as failed:
        word(wrong)
    assert failed.value.rationale == rationale
    assert failed.value.because
    assert (failed.value.help or "").startswith(help)


def test_a_second_charge_is_shown_with_what_came_between() -> None:
    """the evidence of two charges holds the kill between them, in order"""
    made = events(charge("A"), killed(), raised(1, "killed"), charge("A", id="ch_2"))
    with pytest.raises(CheckFailed) as failed:
        one(made)
    assert [seen.kind for seen in failed.value.because] == ["charge", "fault", "charge"]
