"""The picture of a game day says what became of each request, between its faults."""

from __future__ import annotations

from typing import Any

from grader.visuals.gameday import AGAIN, ANSWERED, LOST, RECOVERED, gameday
from grader.vocabulary import Run
from tests.visuals.example_runs import answers, call, no_reply, reply, run

KILL = (0, "fault", {"what": "killed", "event": "charge", "stored": None})
DROP = (None, "fault", {"what": "connections dropped", "event": None})
FAILS = (1, "answer", {"event": "reply", "request": 1, "text": "", "status": 500})


def day(*more: Any) -> Run:
    """Return a run in which one request is answered, and one is sent again."""
    return run(
        "a day",
        *(call(1, 1, {"text": "a"}), reply(1, 1, {"answer": "<b>"})),
        *(call(0, 2, {"text": "b"}), KILL, no_reply(0, 2, "killed")),
        *(call(1, 3, {"text": "b"}), answers(1, "reply"), reply(1, 3, {})),
        *more,
    )


def test_what_became_of_each() -> None:
    """the same request again is a recovery, and the first try was sent again"""
    shown = gameday(day())
    assert [e.became for e in shown.events if e.became] == [ANSWERED, AGAIN, RECOVERED]
    assert shown.caption == (
        "3 requests and 1 fault: 1 answered at once, 1 when sent again, 0 never."
    )
    assert shown.alt.endswith("#4 killed; none is lost.")


def test_what_is_lost_stands_out() -> None:
    """a request that nobody could answer is lost, in picture, table and words"""
    shown = gameday(day(call(1, 4, {"text": "c"}), no_reply(1, 4, "hang")))
    assert shown.count(LOST) == 1
    assert "1 never" in shown.caption
    assert "✗ lost: hang" in shown.text
    assert "lost are #10" in shown.alt
    assert "✗ lost" in shown.svg


def test_faults_are_told_whoever_they_strike() -> None:
    """a kill is of one server; dropped connections and the model are everybody's"""
    shown = gameday(day(DROP, FAILS))
    assert [event.fault for event in shown.faults] == [
        *("killed", "connections dropped", "the model fails")
    ]
    for words in (shown.text, shown.html, shown.alt):
        assert "connections dropped" in words
    assert "server 0 killed" in shown.svg
    assert "all       fault: the model fails" in shown.text


def test_an_empty_day_is_drawn_too() -> None:
    """a run without a request is a picture that says so"""
    shown = gameday(run("nothing"))
    assert "no fault; none is lost" in shown.alt
    assert "<svg" in shown.svg
