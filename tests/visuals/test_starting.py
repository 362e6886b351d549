"""The picture of a start says who waited, who asked, and what became of each."""

from __future__ import annotations

from typing import Any

from grader.visuals.starting import starting
from grader.visuals.timeline import draw
from tests.visuals.example_runs import call, no_reply, reply, run, start

TABLE, LATER = "checkpoint_migrations", "checkpoint_writes"


def queue(process: int, how: str = "waits", event: str = TABLE) -> Any:
    """Return what a process does while another replica makes a table."""
    return process, "queue", {"event": event, "how": how, "behind": []}


def released(event: str, inside: int) -> Any:
    return None, "released", {"event": event, "inside": inside, "expected": 2}


def broken(process: int, error: str) -> Any:
    return process, "broken", {"error": error, "message": "no <b>", "line": 3}


RACE = run(
    "two processes start at once",
    *(start(0), start(1), queue(0), queue(1), released(TABLE, 2)),
    broken(1, "UniqueViolation"),
    no_reply(1, 2, "not_run"),
    *(queue(0, event=LATER), released(LATER, 1)),
    *(call(0, 1, "thread", "Hello"), reply(0, 1, "hello")),
)
POLITE = run(
    "two processes start at once",
    *(start(0), start(1), queue(0), queue(1, "asks"), released(TABLE, 1)),
    *(call(0, 1, "thread", "Hello"), reply(0, 1, "hello")),
    *(call(1, 2, "thread", "Hello"), reply(1, 2, "hello")),
)


def test_a_race() -> None:
    """who waited in one line, who crashed behind which table, and who answered"""
    picture = starting(RACE)
    assert picture.tables == (TABLE, LATER)
    first, second = picture.lanes
    assert (first.did, first.outcome, first.ok) == (("waits",) * 2, "answers", True)
    assert (second.did, second.outcome) == (("waits", ""), "UniqueViolation")
    assert (first.after, second.after, second.number) == (2, 1, 6)
    assert picture.caption.endswith("2 waited in one line, 1 answered.")


def test_who_asks_again() -> None:
    """asking again is no waiting in a line, and all of them answer"""
    picture = starting(POLITE)
    assert [lane.did for lane in picture.lanes] == [("waits",), ("asks again",)]
    assert picture.caption.endswith("1 waited in one line, all of them answered.")


def test_picture_table_and_alt_say_the_same() -> None:
    """error and table stand in the picture, its alternative text and its table"""
    picture = starting(RACE)
    for words in (picture.alt, picture.text, picture.html, picture.svg):
        assert "UniqueViolation" in words
        assert "waits" in words
    assert LATER in picture.html
    assert "<title>" in picture.svg


def test_words_of_a_submission_are_escaped() -> None:
    """an error is shown as text, on one line, and cut where it is long"""
    picture = starting(run("a start", start(0), broken(0, "<b>\n" + "E" * 200)))
    assert "<b>" not in picture.html
    assert "&lt;b&gt;" in picture.html
    assert len(picture.lanes[0].outcome) <= 24


def test_no_process_and_no_outcome() -> None:
    """a run in which nothing started, or nothing came of it, is no error"""
    assert "No process" in starting(run("nothing")).text
    assert "no outcome" in starting(run("a start", start(0))).text
    assert "<svg" in starting(run("nothing")).svg


def test_timeline_has_the_line() -> None:
    """a timeline draws who waits, and its table says for what"""
    drawn = draw(POLITE)
    assert "asks again" in drawn.svg
    assert f"waits for [{TABLE}], which another replica is making" in drawn.text
