"""The picture of charges says what the ledger really did, and what it came to."""

from __future__ import annotations

from typing import Any

from grader.visuals.charges import AGAIN, FIRST, NOTHING, SAME, charges
from grader.visuals.timeline import draw
from grader.vocabulary import Run
from tests.visuals.example_runs import call, no_reply, run


def asks(process: int, key: str, made: str = "", **more: Any) -> Any:
    """Return a request to the ledger; `made` names the charge behind the answer."""
    data = {"event": "charge", "key": key, "order": "order-1", "amount": 1250}
    data |= {"charge_id": made, "new": False, "status": 200, **more}
    return process, "charge", data


KILL = (0, "fault", {"what": "killed", "event": "charge", "stored": None})
ORDERED = call(0, 1, "thread-1", "order-1", "1250", function="pay")
TWICE = run(
    "process 0 is killed, and process 1 resumes",
    ORDERED,
    asks(0, "a", "ch_1", new=True),
    KILL,
    no_reply(0, 1, "killed", function="pay"),
    call(1, 2, "thread-1", function="resume"),
    asks(1, "b", "ch_2", new=True),
)
MIXED = run(
    "the ledger fails, hangs up, and is asked again",
    ORDERED,
    asks(0, "a", status=503),
    asks(0, "a", "ch_1", new=True, status=0),
    asks(1, "a", "ch_1"),
    asks(1, "a", "ch_1", status=422),
)


def test_charged_twice() -> None:
    """a second charge of an order is marked, and adds to what was charged"""
    picture = charges(TWICE)
    assert [r.did for r in picture.requests] == [FIRST, AGAIN]
    assert (picture.ordered, picture.total) == (1250, 2500)
    assert "12.50 was ordered and 25.00 charged, 12.50 too much" in picture.caption


def test_answers_that_were_lost() -> None:
    """why nobody heard an answer stands beside what was done"""
    assert "charged; process 0 is killed" in charges(TWICE).text
    assert "no charge; the ledger answers HTTP 503" in charges(MIXED).text
    assert "charged; the ledger hangs up" in charges(MIXED).text


def test_what_is_no_charge() -> None:
    """an error, the same charge again and a misused key add nothing"""
    picture = charges(MIXED)
    assert [r.did for r in picture.requests] == [NOTHING, FIRST, SAME, NOTHING]
    assert [r.total for r in picture.requests] == [0, 1250, 1250, 1250]
    assert picture.caption.endswith("12.50 was ordered and 12.50 charged.")


def test_too_little() -> None:
    """what was ordered and never charged is said as well"""
    picture = charges(run("nothing works", ORDERED, asks(0, "a", status=503)))
    assert picture.caption.endswith("0.00 charged, 12.50 too little.")


def test_picture_table_and_alt_say_the_same() -> None:
    """sum and order stand in the picture, its alternative text and its table"""
    picture = charges(TWICE)
    for words in (picture.alt, picture.text, picture.html):
        assert "25.00" in words
        assert "12.50" in words
    assert "charged again" in picture.svg
    assert "<title>" in picture.svg


def test_words_of_a_submission_are_escaped() -> None:
    """a key is shown as text, on one line, and cut where it is long"""
    picture = charges(
        run("a key", ORDERED, asks(0, "<b>\n" + "k" * 200, "c", new=True))
    )
    assert "<b>" not in picture.html
    assert "&lt;b&gt;" in picture.html
    assert max(len(r.key) for r in picture.requests) <= 40


def test_no_request_is_an_empty_picture() -> None:
    """a run in which nobody paid is told so, and is no error"""
    nothing: Run = run("nobody pays")
    assert "never asked" in charges(nothing).text
    assert "<svg" in charges(nothing).svg


def test_timeline_has_the_charges() -> None:
    """a timeline draws each charge, with its amount, and the table says the rest"""
    drawn = draw(TWICE)
    assert "1250 charged" in drawn.svg
    assert "ledger asked" in drawn.text
    assert "it answers HTTP 503" in draw(MIXED).text
