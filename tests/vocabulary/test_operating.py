"""Each word about operation passes and fails where it says so."""

from __future__ import annotations

from typing import Any

import pytest

from grader.vocabulary import CheckFailed, Observation
from grader.vocabulary.operating import healthy, keeps_no_key, own, said, served
from tests.vocabulary.made import Event, answered, asked, call, reply, run


def refused(status: int, error: str, message: str = "later") -> Observation:
    data = {"id": 1, "function": "POST /chat", "error": error, "message": message}
    return Observation(1, "reply", 0, 0.0, {**data, "status": status})


def holding(threads: int, *keys: dict[str, Any]) -> Event:
    data = {"threads": [{}] * threads, "keys": [*keys], "database": "DATABASE_URL"}
    return None, "stored", data


def test_a_reason_to_retry_will_do_where_one_may_fail() -> None:
    """HTTP 503 with a reason is an answer only where a request may fail"""
    busy = refused(503, "HTTP 503")
    served(run(), busy, may_fail=True)
    with pytest.raises(CheckFailed, match="HTTP 503"):
        served(run(), busy)


@pytest.mark.parametrize(
    "reply",
    [
        refused(500, "HTTP 500", "Internal Server Error"),
        refused(500, "APIError"),
        refused(503, "HTTP 503", ""),
    ],
)
def test_an_error_that_tells_nothing_is_none(reply: Observation) -> None:
    """a bare 500, an exception and an empty reason tell no client what to do"""
    with pytest.raises(CheckFailed) as failed:
        served(run(), reply, may_fail=True)
    assert "503 with a reason" in str(failed.value.help)


def test_said() -> None:
    """an answer is the model's own words to the text, in this call or an earlier one"""
    made = run(
        call(1, {"text": "hi"}),
        *(asked(1, "hi"), answered(1, "sun")),
        reply(1, {"answer": "sun"}),
        call(2, {"text": "hi"}),
        reply(2, {"answer": "sun"}),
        call(3, {"text": "hi"}),
        reply(3, {"answer": "moon"}),
        call(4, {"text": "hi"}),
        reply(4, "everything"),
        call(5, {"text": "and you?"}),
        reply(5, {"answer": "sun"}),
    )
    said(made, made.replies[0])
    said(made, made.replies[1])
    with pytest.raises(CheckFailed, match="what the model never said"):
        said(made, made.replies[2])
    with pytest.raises(CheckFailed):
        said(made, made.replies[3])
    with pytest.raises(CheckFailed, match="never said to 'and you"):
        said(made, made.replies[4])


def test_own() -> None:
    """a reply is a user's own where it names them and holds their word"""
    made = run(call(1), reply(1, {"user_id": "ada", "answer": "sun"}))
    own(made, made.replies[0], "ada", "sun")
    with pytest.raises(CheckFailed, match="expected user_id 'eve', found 'ada'"):
        own(made, made.replies[0], "eve", "sun")
    with pytest.raises(CheckFailed, match="another answer"):
        own(made, made.replies[0], "ada", "moon")


def test_keys() -> None:
    """a key in any look at the database fails, and so does an empty database"""
    keeps_no_key(run(holding(1)))
    with pytest.raises(CheckFailed, match="no checkpoint is in `DATABASE_URL`"):
        keeps_no_key(run(holding(0)))
    key = {"where": "table blobs", "process": 2, "encoding": "base64"}
    with pytest.raises(CheckFailed, match="process 2 stands in table blobs"):
        keeps_no_key(run(holding(1, key), holding(1)))


def test_healthy() -> None:
    """a look at the health comes back before the model has answered"""
    quick = run(call(1), reply(1, {"ok": True}), asked(1), answered(1, "sun"))
    healthy(quick, quick.replies[0])
    slow = run(call(1), asked(1), answered(1, "sun"), reply(1, {"ok": True}))
    with pytest.raises(CheckFailed, match="waited for the model"):
        healthy(slow, slow.replies[0])
