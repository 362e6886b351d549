"""The words about the upstream fail with the evidence, and only where it is not so."""

from __future__ import annotations

from typing import Any

import pytest

from grader.vocabulary import CheckFailed, Run
from grader.vocabulary.claims import answered
from grader.vocabulary.fetching import (
    all_inside,
    bad_gateway,
    crowds,
    meanwhile,
    nothing_lost,
    own_profile,
)
from tests.vocabulary.made import Event, call, logged, reply, run

PATH = "GET /profile/a"


def fetch(request: int, user: str = "a") -> Event:
    return 0, "fetch", {"event": "profile", "request": request, "user": user}


def fetched(request: int, user: str = "a", status: int = 200) -> Event:
    data = {"event": "profile", "request": request, "user": user, "status": status}
    return 0, "fetched", {**data, "profile": of(request, user)}


def of(request: int, user: str = "a") -> dict[str, Any]:
    return {"user": user, "read": str(request)}


def refused(id: int, status: int, message: str) -> Event:
    head = {"id": id, "function": PATH, "status": status}
    return 0, "reply", {**head, "error": f"HTTP {status}", "message": message}


def released(inside: int, expected: int = 48) -> Event:
    data = {"event": "profile", "inside": inside, "expected": expected}
    return None, "released", {**data, "why": "nothing moved any more"}


def test_own_profile() -> None:
    """what the service answered in this call, about this user"""
    made = run(call(1), fetch(1), fetched(1), reply(1, of(1)))
    own_profile(made, made.replies[0], "a")


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (of(1), "earlier request"),
        (of(3, "b"), "a was given the profile of b"),
        (of(9), "ever answered"),
        ([], "ever answered"),
        ({}, "ever answered"),
    ],
)
def test_another_profile(value: Any, why: str) -> None:
    """an older one, another user's, and one that nobody gave are told apart"""
    made = run(
        *(call(1), fetch(1), fetched(1), reply(1, of(1))),
        *(call(2), fetch(2), fetch(3, "b"), fetched(2), fetched(3, "b")),
        reply(2, value),
    )
    with pytest.raises(CheckFailed, match=why) as failed:
        own_profile(made, made.replies[1], "a")
    assert made.replies[1] in failed.value.because


def test_no_profile() -> None:
    """an error of the service is nobody's profile, and a call may have no value"""
    made = run(call(1), fetch(1), fetched(1, status=503), reply(1, of(1)))
    with pytest.raises(CheckFailed, match="ever answered"):
        own_profile(made, made.replies[0], "a")
    made = run(call(1), refused(1, 500, "oh"))
    with pytest.raises(CheckFailed, match="HTTP 500"):
        own_profile(made, made.replies[0], "a")


def test_all_inside() -> None:
    """as many as were expected, or more"""
    made = run(fetch(1), released(48))
    all_inside(made, crowds(made)[0])


@pytest.mark.parametrize(
    ("inside", "help"),
    [(0, "ask, and whom"), (1, "event loop"), (40, "40 OS threads"), (6, "cpus")],
)
def test_not_all_inside(inside: int, help: str) -> None:
    """the number says who stands at the door"""
    made = run(fetch(1), released(inside))
    with pytest.raises(CheckFailed, match=f"{inside} of 48 requests") as failed:
        all_inside(made, crowds(made)[0])
    assert "nothing moved any more" in failed.value.rationale
    assert help in str(failed.value.help)
    assert len(failed.value.because) == 2


def test_meanwhile() -> None:
    """a call that was answered before the release, while somebody was inside"""
    made = run(fetch(1), call(1), reply(1, {}), released(1))
    meanwhile(made, made.replies[0], crowds(made)[0])


def test_not_meanwhile() -> None:
    """answered after the release, answered by an error, and nobody inside"""
    late = run(fetch(1), call(1), released(1), reply(1, {}))
    with pytest.raises(CheckFailed, match="only after"):
        meanwhile(late, late.replies[0], crowds(late)[0])
    failed = run(fetch(1), call(1), refused(1, 500, "oh"), released(1))
    with pytest.raises(CheckFailed, match="HTTP 500"):
        meanwhile(failed, failed.replies[0], crowds(failed)[0])
    alone = run(call(1), reply(1, {}), released(0))
    with pytest.raises(CheckFailed, match="no request was inside"):
        meanwhile(alone, alone.replies[0], crowds(alone)[0])


def gateway(*reply_: Event, status: int = 503) -> tuple[Run, int]:
    return run(call(1), fetch(1), fetched(1, status=status), *reply_), status


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (503, '{"detail":"it said 503"}'),
        (503, '{"code": 1, "detail" : " it said 503"}'),
        (0, '{"detail":"no answer"}'),
    ],
)
def test_bad_gateway(status: int, message: str) -> None:
    """a 502 whose detail has words, and the status where there was one"""
    made, status = gateway(refused(1, 502, message), status=status)
    bad_gateway(made, made.replies[0], status)


@pytest.mark.parametrize(
    ("status", "answer", "why"),
    [
        (503, refused(1, 500, '{"detail":"503"}'), "HTTP 500"),
        (503, refused(1, 503, '{"detail":"503"}'), "HTTP 503"),
        (503, refused(1, 502, '{"detail":"Bad Gateway"}'), "its status 503"),
        (503, refused(1, 502, '{"detail":" ", "more": 503}'), "no reason"),
        (503, refused(1, 502, "503"), "no reason"),
        (0, refused(1, 502, ""), "no reason"),
        (0, refused(1, 502, '{"detail":""}'), "no reason"),
        (503, reply(1, {}), "answered with"),
    ],
)
def test_no_bad_gateway(status: int, answer: Event, why: str) -> None:
    """another status, no words, or none about the service"""
    made, status = gateway(answer, status=status)
    with pytest.raises(CheckFailed, match=why):
        bad_gateway(made, made.replies[0], status)


def test_bad_gateway_of_nobody() -> None:
    """a 502 for a call in which the service had no error is none"""
    made = run(call(1), fetch(1), fetched(1), refused(1, 502, '{"detail":"503"}'))
    with pytest.raises(CheckFailed, match="was not asked"):
        bad_gateway(made, made.replies[0], 503)


def test_answered_besides() -> None:
    """one call may have no value, where it is named; another may not"""
    made = run(call(1), refused(1, 502, "oh"), call(2), reply(2, {}))
    answered(made, besides=made.replies[:1])
    with pytest.raises(CheckFailed, match="HTTP 502"):
        answered(made, besides=made.replies[1:])


def test_nothing_lost() -> None:
    """whoever entered has left, by whatever answer, and the log names no task"""
    nothing_lost(run(fetch(1), fetched(1), fetch(2), fetched(2, status=-1)))
    nothing_lost(run(logged("ERROR: Exception in ASGI application")))


@pytest.mark.parametrize(
    "line",
    [
        "Task exception was never retrieved",
        "Task was destroyed but it is pending!",
        "coroutine 'ask' was never awaited",
    ],
)
def test_something_lost(line: str) -> None:
    """a lost task or coroutine is named, and so is a request that is still inside"""
    with pytest.raises(CheckFailed, match="log of process 1"):
        nothing_lost(run(logged(line)))
    with pytest.raises(CheckFailed, match="inside the upstream at the end"):
        nothing_lost(run(fetch(1), fetched(1), fetch(2)))
