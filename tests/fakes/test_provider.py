"""A learner may observe with a real provider; here the model server plays one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from grader.fakes.answers import Answer
from grader.fakes.provider import ask_provider, configured
from grader.vocabulary.scenario import Fails, Says
from tests.fakes.model_bench import HELLO, KEY, Bench, weather


def test_provider(bench: Bench) -> None:
    """a request forwarded to a provider gets the provider's answer"""

    async def forwards(body: Mapping[str, Any]) -> Answer:
        return await ask_provider(bench.url, KEY, body, name="theirs")

    model = bench.model(base_url=bench.admit(forwards))
    whole = "".join(str(chunk.content) for chunk in model.stream("My name is Ada."))
    assert whole.startswith("Noted: your name is Ada. (ref ")
    assert bench.bodies[0]["model"] == "theirs"
    assert "stream" not in bench.bodies[0]
    bench.script.apply(Says("a", "[a]", {"city": "Rome"}, tool="weather"))
    call = model.bind_tools([weather]).invoke("[a]")
    assert isinstance(call.tool_calls, list)
    assert call.tool_calls[0]["args"] == {"city": "Rome"}


@pytest.mark.parametrize(
    ("status", "seen"), [(401, 401), (429, 429), (500, 500), (0, 502)]
)
def test_provider_errors(bench: Bench, status: int, seen: int) -> None:
    """a provider's error is an answer with its status, and never shows the key"""
    bench.script.apply(Fails("model", status))
    answer = bench.run(ask_provider(bench.url, KEY, HELLO))
    assert answer.status == seen
    assert answer.text
    assert (answer.retry_after_s is not None) == (status == 429)


def test_provider_hides_the_key(bench: Bench) -> None:
    """a provider that repeats the key in its error does not leak it"""

    async def asked(body: Mapping[str, Any]) -> Answer:
        return Answer("a", status=401, text=f"wrong key {KEY}")

    answer = bench.run(ask_provider(bench.admit(asked), KEY, HELLO))
    assert answer.text == "wrong key …"


@pytest.mark.parametrize("page", [b"[]", b"<html>", b'{"choices": []}', b"\xff"])
def test_provider_is_no_provider(bench: Bench, page: bytes) -> None:
    """a page that is no chat completion is an error that says so"""

    async def ask() -> Answer:
        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.readuntil(b"\r\n\r\n")
            size = f"content-length: {len(page)}".encode()
            writer.write(b"HTTP/1.1 200 OK\r\n" + size + b"\r\n\r\n" + page)
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await ask_provider(f"http://127.0.0.1:{port}", KEY, HELLO)

    answer = bench.run(ask())
    assert answer.status == 502
    assert "is no chat completion" in answer.text


def test_configured() -> None:
    """a provider is used where its URL is named, and only there"""
    assert configured({"GRADER_MODEL_KEY": "k"}) is None
    environ = {"GRADER_MODEL_URL": "http://u/v1", "GRADER_MODEL_KEY": "k"}
    assert configured(environ) == {"url": "http://u/v1", "key": "k", "name": ""}
