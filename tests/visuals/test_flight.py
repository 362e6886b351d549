"""The picture of calls in flight says how many waited at once, beside the ideal."""

from __future__ import annotations

from typing import Any

from grader.visuals.flight import flight
from grader.visuals.timeline import draw
from grader.vocabulary import Run
from tests.visuals.example_runs import answers, call, no_reply, reply, run
from tests.visuals.example_runs import asks as asked

Event = tuple[int | None, str, dict[str, Any]]


def enters(user: int) -> Event:
    return 0, "fetch", {"event": "profile", "request": user, "user": f"user-{user}"}


def leaves(user: int, status: int = 200) -> Event:
    found = {"user": f"user-{user}"} if status == 200 else None
    asked = enters(user)[2]
    return 0, "fetched", {**asked, "status": status, "profile": found}


def asks(user: int) -> Event:
    return call(0, user, function=f"GET /profile/user-{user}")


def released(inside: int, why: str) -> Event:
    data = {"event": "profile", "inside": inside, "expected": 3, "why": why}
    return None, "released", data


HEALTH = call(0, 9, function="GET /health")
HEALTHY = reply(0, 9, {"status": "ok"}, function="GET /health")
BLOCKED = run(
    "three users ask a server that blocks",
    *(asks(user) for user in (1, 2, 3)),
    enters(1),
    HEALTH,
    released(1, "nothing moved any more"),
    *(each for user in (1, 2) for each in (leaves(user), enters(user + 1))),
    leaves(3),
    HEALTHY,
    *(reply(0, n, {}, function=f"GET /profile/user-{n}") for n in (1, 2, 3)),
)
AWAITED = run(
    "three users ask a server that awaits",
    *(asks(user) for user in (1, 2, 3)),
    *(enters(user) for user in (1, 2, 3)),
    HEALTH,
    HEALTHY,
    released(3, "all were in"),
    *(leaves(user) for user in (1, 2, 3)),
    *(reply(0, n, {}, function=f"GET /profile/user-{n}") for n in (1, 2, 3)),
)


def test_one_by_one() -> None:
    """a server that blocks is a saw along the bottom, and the ideal is above it"""
    picture = flight(BLOCKED)
    assert picture.inside == (1, 0, 1, 0, 1, 0)
    assert (picture.most, picture.expected) == (1, 3)
    assert "At most 1 of 3 calls was in flight" in picture.caption


def test_all_at_once() -> None:
    """a server that awaits is the ideal"""
    picture = flight(AWAITED)
    assert picture.inside == (1, 2, 3, 2, 1, 0)
    assert picture.caption.startswith("All 3 calls were in flight at once")
    assert [(m.inside, m.ideal) for m in picture.moments] == [
        *((3, 3), (3, 3), (3, 3)),
        (0, 0),
    ]


def test_moments_are_in_order() -> None:
    """/health stands where it was answered: before the release, or after all"""
    words = [moment.words for moment in flight(AWAITED).moments]
    assert words == [
        "the most are in flight",
        "/health is answered",
        "the upstream answers: all were in",
        "the last call leaves",
    ]
    assert flight(BLOCKED).moments[-1].words == "/health is answered"


def test_picture_table_and_alt_say_the_same() -> None:
    """numbers and moments stand in the picture, its alternative text and its table"""
    picture = flight(BLOCKED)
    for words in (picture.alt, picture.text, picture.html, picture.svg):
        assert "/health is answered" in words
    assert "your code climbs to 1" in picture.alt
    assert "yours: 1" in picture.svg
    assert "ideal: 3" in picture.svg
    assert "<title>" in picture.svg
    assert "ideal: 3" not in flight(AWAITED).svg


def test_words_of_a_submission_are_escaped() -> None:
    """what a path holds is shown as text"""
    odd = call(0, 1, function="GET /<b>"), reply(0, 1, {}, function="GET /<b>")
    picture = flight(run("odd", *odd, enters(1), leaves(1)))
    assert "<b>" not in picture.html
    assert "&lt;b&gt;" in picture.html


def test_no_request_is_an_empty_picture() -> None:
    """a run in which nobody asked the upstream is told so, and is no error"""
    nothing: Run = run("nobody asks")
    assert "never called" in flight(nothing).text
    assert "never called" in flight(nothing).alt
    assert "<svg" in flight(nothing).svg


def test_timeline_shows_who_asks() -> None:
    """a timeline marks each request at the call it is of, and tells what came"""
    drawn = draw(AWAITED)
    assert "upstream asked" in drawn.text
    assert "upstream answers" in drawn.text
    failed = draw(run("it fails", asks(1), enters(1), leaves(1, 503)))
    assert "answers: HTTP 503" in failed.text


def test_timeline_shows_who_hangs_up() -> None:
    """a call whose client has gone says so"""
    gone = no_reply(0, 1, "hung_up", function="GET /profile/user-1")
    drawn = draw(run("a client hangs up", asks(1), enters(1), gone, leaves(1, -1)))
    assert "its client hung up" in drawn.svg
    assert "nobody" in drawn.text


def test_at_the_model() -> None:
    """where no upstream is called, the calls are those of the model"""
    moves = [asked(0, "reply"), asked(0, "reply"), answers(0, "reply")]
    held = {"event": "model", "inside": 2, "expected": 2}
    picture = flight(run("two at once", *moves[:2], (None, "released", held), moves[2]))
    assert (picture.inside, picture.expected) == ((1, 2, 1), 2)
    assert picture.caption.startswith("All 2 calls were in flight at once")
    assert "the model answers (#3)" in picture.alt
    assert flight(run("nobody", call(0, 1))).caption.startswith("The model was never")
