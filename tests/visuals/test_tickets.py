"""The picture of tickets shows whether what goes wrong depends on process or kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from grader.visuals.tickets import LOST, NO_KIND, NOTHING, RAISED, WHOLE, tickets
from grader.visuals.timeline import draw
from tests.visuals.example_runs import call, no_reply, reply, run

PLAIN = json.dumps({"kind": "question", "priority": "low"})
REFUND = json.dumps({"kind": "refund", "priority": "low"})


def ticket(
    number: int, sorts: str, note: str = "", notes: Any = (), **more: Any
) -> Any:
    """Return the events of one ticket, which two processes take in turn."""
    return list(_events(number, sorts, note, notes, **more))


def _events(
    number: int, sorts: str, note: str, notes: Any, raises: bool = False
) -> Iterator[Any]:
    process, text = number % 2, f"ticket {number}."
    yield call(process, number, {"id": "i", "text": text}, function="triage")
    for place, (event, said) in enumerate((("sort", sorts), ("answer", note))):
        if said:
            asked = {"event": event, "request": 10 * number + place, "prompt": text}
            messages = [{"role": "user", "text": text}]
            yield process, "model", {**asked, "messages": messages}
            yield process, "answer", {**asked, "text": said, "status": 200}
    if raises:
        yield no_reply(process, number, "InvalidUpdateError", function="triage")
    else:
        value = {"status": "answered", "notes": notes}
        yield reply(process, number, value, function="triage")


BY_KIND = run(
    "questions lose their note, and refunds raise, in both processes",
    *(event for n in (1, 2, 3) for event in ticket(n, PLAIN, f"n{n}", [])),
    *(event for n in (4, 5) for event in ticket(n, REFUND, f"n{n}", raises=True)),
)


def test_what_became_of_a_ticket() -> None:
    """it came back whole, lost a note, was not worked on, or raised"""
    picture = tickets(
        run(
            "one of each",
            *ticket(1, PLAIN, "a", ["a"]),
            *ticket(2, PLAIN, "b", ["a"]),
            *ticket(3, PLAIN),
            *ticket(4, REFUND, "d", raises=True),
            *ticket(5, "no JSON", "e", "e"),
        )
    )
    assert [t.outcome for t in picture.tickets] == [WHOLE, LOST, NOTHING, RAISED, LOST]
    assert [t.process for t in picture.tickets] == [1, 0, 1, 0, 1]
    assert picture.kinds == ("question, low", "refund, low", NO_KIND)
    assert "depends on the kind" not in picture.caption


def test_the_kind_decides() -> None:
    """where each kind has one outcome, and a process several, the picture says so"""
    picture = tickets(BY_KIND)
    assert picture.caption.startswith("5 tickets: 3 lost a note, 2 raised.")
    assert "depends on the kind alone" in picture.caption
    assert "question, low: process 0: 1 lost a note; process 1: 2" in picture.text
    for words in (picture.alt, picture.html):
        assert "2 lost a note" in words
    assert "refund, low" in picture.svg
    assert "<title>" in picture.svg


def test_all_is_well() -> None:
    """tickets that all came back whole are told as that"""
    both = (*ticket(1, PLAIN, "a", ["a"]), *ticket(2, REFUND, "b", ["b"]))
    picture = tickets(run("all well", *both))
    assert picture.caption == "All 2 tickets came back whole, of every kind."


def test_no_tickets() -> None:
    """a run without tickets is an empty picture, and no error"""
    picture = tickets(run("a chat", call(0, 1, "t", "hello"), reply(0, 1, "hi")))
    assert picture.caption == "No ticket came in."
    assert "<svg" in picture.svg


def test_words_of_a_submission_are_escaped() -> None:
    """a kind may hold markup"""
    hostile = json.dumps({"kind": "<script>alert(1)</script>", "priority": "$x$"})
    picture = tickets(run("hostile", *ticket(1, hostile, "a", [])))
    assert "<script>" not in picture.html + picture.svg


def test_the_same_run_is_the_same_picture() -> None:
    """two drawings of one run have the same bytes, as the timeline has"""
    assert tickets(BY_KIND).svg == tickets(BY_KIND).svg
    assert draw(BY_KIND).svg == draw(BY_KIND).svg
