"""What ex08 says of clients, of who hangs up, and of errors that nobody awaits."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
from typing import Any

import httpx
import pytest
import requests
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from tests.drift.small_graphs import LIMIT_S

fact = pytest.mark.fact


@fact("ex08.requests_waits_for_ever")
def test_requests_waits_for_ever() -> None:
    """requests has no timeout unless it is given one"""
    parameters = inspect.signature(requests.Session.request).parameters
    assert parameters["timeout"].default is None


@fact("ex08.limits_of_httpx")
def test_limits_of_httpx() -> None:
    """httpx gives up after 5 seconds, on waiting for a connection too, and has 100"""
    timeout = httpx.AsyncClient().timeout
    assert (timeout.read, timeout.pool) == (5.0, 5.0)
    limits = inspect.signature(httpx.AsyncClient).parameters["limits"].default
    assert limits.max_connections == 100


async def ask(api: FastAPI, entered: asyncio.Event) -> None:
    """Send a request whose client hangs up once the endpoint has been entered."""
    messages = [{"type": "http.request", "body": b"", "more_body": False}]
    scope = {
        **{"type": "http", "method": "GET", "path": "/", "raw_path": b"/"},
        **{"headers": [], "query_string": b"", "http_version": "1.1"},
        **{"scheme": "http", "server": ("a", 80), "client": ("b", 1), "root_path": ""},
        # As uvicorn says: it is the application that listens for a disconnect.
        "asgi": {"version": "3.0", "spec_version": "2.3"},
    }

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.wait_for(entered.wait(), LIMIT_S)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        """Take a response that nobody reads."""

    await api(scope, receive, send)


@fact("ex08.an_endpoint_runs_to_its_end")
def test_an_endpoint_runs_to_its_end() -> None:
    """an endpoint of FastAPI goes on although its client has hung up"""
    ended: list[str] = []

    async def run() -> None:
        api, entered, gate = FastAPI(), asyncio.Event(), asyncio.Event()

        @api.get("/")
        async def endpoint() -> None:
            entered.set()
            await gate.wait()
            ended.append("endpoint")

        asked = asyncio.ensure_future(ask(api, entered))
        await asyncio.wait_for(entered.wait(), LIMIT_S)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not asked.done()
        gate.set()
        await asked

    asyncio.run(run())
    assert ended == ["endpoint"]


@fact("ex08.a_stream_is_cancelled")
def test_a_stream_is_cancelled() -> None:
    """a streamed response is cancelled where it waits when its client hangs up"""
    seen: list[str] = []

    async def run() -> None:
        api, entered = FastAPI(), asyncio.Event()

        @api.get("/")
        async def endpoint() -> StreamingResponse:
            async def parts() -> Any:
                entered.set()
                try:
                    await asyncio.Event().wait()
                    yield b""
                except asyncio.CancelledError:
                    seen.append("cancelled")
                    raise

            return StreamingResponse(parts())

        await asyncio.wait_for(ask(api, entered), LIMIT_S)

    asyncio.run(run())
    assert seen == ["cancelled"]


@fact("ex08.an_error_that_nobody_awaits")
def test_an_error_that_nobody_awaits(caplog: pytest.LogCaptureFixture) -> None:
    """the error of a task that nobody awaits is in the log: never retrieved"""

    async def fails() -> None:
        raise LookupError("503")

    async def run() -> None:
        task = asyncio.ensure_future(fails())
        await asyncio.wait({task})
        del task
        gc.collect()

    with caplog.at_level(logging.ERROR, "asyncio"):
        asyncio.run(run())
    assert "Task exception was never retrieved" in caplog.text


@fact("ex08.debug_mode_names_slow_steps")
def test_debug_mode_names_slow_steps() -> None:
    """in asyncio's debug mode a step of more than 0.1 s is logged"""

    async def run() -> tuple[bool, float]:
        loop = asyncio.get_running_loop()
        return loop.get_debug(), loop.slow_callback_duration

    assert asyncio.run(run(), debug=True) == (True, 0.1)
