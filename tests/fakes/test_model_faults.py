"""The model server fails, holds and refuses as it is told, and leaves nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import pytest

from grader.fakes.answers import Answer
from grader.fakes.bodies import LIMIT_BODY_BYTES
from grader.vocabulary.scenario import Fails
from tests.fakes.model_bench import HELLO, KEY, LIMIT_S, Bench


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, openai.AuthenticationError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
        (0, openai.APIConnectionError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_errors(
    bench: Bench, status: int, error: type[Exception], stream: bool
) -> None:
    """a scripted failure is the error that OpenAI's client raises for it"""
    bench.script.apply(Fails("model", status))
    with pytest.raises(error):
        list(bench.model().stream("Hi")) if stream else bench.model().invoke("Hi")
    assert bench.model().invoke("Hi")


@pytest.mark.parametrize("status", [429, 500, 0])
def test_retry(bench: Bench, status: int) -> None:
    """a client that tries again gets through"""
    bench.script.apply(Fails("model", status))
    assert bench.model(max_retries=1).invoke("Hi")
    assert len(bench.bodies) == 2


def test_retry_after(bench: Bench) -> None:
    """a 429 says when to try again, in the header that clients honour"""
    answers = [Answer("a", status=429, retry_after_s=2.5), Answer("a", status=429)]

    async def asked(body: Mapping[str, Any]) -> Answer:
        return answers.pop(0)

    url = bench.admit(asked)
    first, second = (bench.post(url=url, json=HELLO) for _ in range(2))
    assert first.headers["retry-after"] == "2.5"
    assert first.headers["retry-after-ms"] == "2500"
    assert "retry-after" not in second.headers
    assert first.json()["error"]["code"] == "rate_limit_exceeded"


def test_dropped_connection(bench: Bench) -> None:
    """a dropped connection ends without a byte, and only that connection"""
    bench.script.apply(Fails("model", 0))
    with httpx.Client() as other:
        headers = {"authorization": f"Bearer {KEY}"}
        assert other.get(f"{bench.url}/models", headers=headers).status_code == 200
        with pytest.raises(httpx.RemoteProtocolError, match="without sending"):
            bench.post(json=HELLO)
        assert other.get(f"{bench.url}/models", headers=headers).status_code == 200


def test_hold_and_release(bench: Bench) -> None:
    """a request waits for as long as it is held, while others are answered"""
    held = bench.model(base_url=bench.admit(bench.holds))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(held.invoke, "Hi")
        assert bench.arrived.wait(LIMIT_S)
        assert bench.model().invoke("Hi")
        assert not waiting.done()
        bench.loop.call_soon_threadsafe(bench.released.set)
        assert waiting.result(LIMIT_S).content == "released"
    assert not bench.cancelled.is_set()


def test_client_killed_while_held(bench: Bench) -> None:
    """a killed process takes its held request with it, and leaves no task"""
    url = bench.admit(bench.holds)
    program = (
        "import sys, urllib.request as u; u.urlopen(u.Request(sys.argv[1], "
        "sys.argv[2].encode(), {'authorization': 'Bearer ' + sys.argv[3]}))"
    )
    args = [f"{url}/chat/completions", json.dumps(HELLO), KEY]
    with subprocess.Popen([sys.executable, "-c", program, *args]) as process:
        assert bench.arrived.wait(LIMIT_S)
        process.kill()
        assert bench.cancelled.wait(LIMIT_S)
    assert bench.model().invoke("Hi")


def test_dismiss(bench: Bench) -> None:
    """a dismissed caller's held request is dropped, and its URL is unknown"""
    url = bench.admit(bench.holds)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bench.post, url=url, json=HELLO)
        assert bench.arrived.wait(LIMIT_S)
        bench.loop.call_soon_threadsafe(bench.server.dismiss, url)
        with pytest.raises(httpx.RemoteProtocolError):
            waiting.result(LIMIT_S)
    assert bench.cancelled.is_set()
    assert bench.post(url=url, json=HELLO).status_code == 404
    assert bench.post(json=HELLO).status_code == 200


def test_close_while_held(bench: Bench) -> None:
    """closing drops what is held, half sent or idle, at once and without noise"""
    url = bench.admit(bench.holds)
    parts = urlsplit(url)
    with (
        ThreadPoolExecutor(1) as pool,
        socket.create_connection((parts.hostname or "", parts.port or 0)) as half,
        httpx.Client() as idle,
    ):
        idle.get(f"{url}/models")
        half.sendall(
            f"POST {parts.path}/chat/completions HTTP/1.1\r\nhost: x\r\n"
            f"authorization: Bearer {KEY}\r\ncontent-length: 9\r\n\r\n{{".encode()
        )
        waiting = pool.submit(bench.post, url=url, json=HELLO)
        assert bench.arrived.wait(LIMIT_S)
        bench.close()
        with pytest.raises(httpx.RemoteProtocolError):
            waiting.result(LIMIT_S)
        half.settimeout(LIMIT_S)
        assert half.recv(1) == b""
    with pytest.raises(httpx.ConnectError):
        bench.post(json=HELLO)


def test_defect_of_the_grader(bench: Bench) -> None:
    """an exception behind the server is remembered, and the client gets a 500"""

    async def asked(body: Mapping[str, Any]) -> Answer:
        raise ZeroDivisionError

    assert bench.post(url=bench.admit(asked), json=HELLO).status_code == 500
    assert isinstance(bench.server.broken, ZeroDivisionError)
    bench.server.broken = None


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer sk-other", f"Basic {KEY}"])
def test_wrong_key(bench: Bench, key: str) -> None:
    """a wrong or missing key is refused in OpenAI's words, and nobody is asked"""
    response = bench.post(json=HELLO, headers={"authorization": key} if key else {})
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "invalid_api_key"
    assert bench.bodies == []


def test_callers_are_told_apart(bench: Bench) -> None:
    """each base URL leads to its own caller, and a guessed one to nobody"""

    async def asked(body: Mapping[str, Any]) -> Answer:
        return Answer("a", text="other")

    other = bench.model(base_url=bench.admit(asked))
    assert other.invoke("Hi").content == "other"
    assert bench.bodies == []
    guessed = bench.url.replace(urlsplit(bench.url).path, "/guess/v1")
    assert bench.post(url=guessed, json=HELLO).status_code == 404


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 100_000, 400),
        (b"[]", 400),
        (b'{"messages": []}', 400),
        (b'{"messages": [1]}', 400),
        (b'{"messages": [{}]}', 200),
        (b'{"messages": [{"role": "user", "content": "\\ud800 \\u0000"}]}', 200),
        (b" " * (LIMIT_BODY_BYTES + 1), 413),
        (b" " * (8 * LIMIT_BODY_BYTES), 413),
    ],
)
def test_bodies(bench: Bench, content: bytes, status: int) -> None:
    """a body that cannot be read, or is too large, is refused and nobody is asked"""
    response = bench.post(content=content)
    assert response.status_code == status
    assert len(bench.bodies) == (status == 200)
    assert ("error" in response.json()) == (status != 200)


def test_body_up_to_the_limit(bench: Bench) -> None:
    """a body of exactly the limit is read"""
    content = json.dumps(HELLO).ljust(LIMIT_BODY_BYTES)
    assert bench.post(content=content).status_code == 200
