"""Async code under sync calls, and back: each rung of the ladder has its error."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypedDict

import aiosqlite
import httpx
import pytest
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from tests.drift.small_graphs import LIMIT_S, THREAD, chain, raised, sqlite_saver
from tests.fakes.model_bench import KEY, Bench

fact = pytest.mark.fact
CLOSED = "RuntimeError: Event loop is closed"
OK = "raised nothing, returned {'text': 'ok'}"


class State(TypedDict, total=False):
    text: str


async def answers(state: State) -> State:
    return {"text": "ok"}


def answers_plainly(state: State) -> State:
    return {"text": "ok"}


def in_loop(act: Callable[[], Any]) -> str:
    """Return what a plain call raises while a loop runs, as in an async endpoint."""

    async def endpoint() -> str:
        return raised(act)

    return asyncio.run(endpoint())


def awaited(make: Callable[[], Any]) -> str:
    """Return what a coroutine raises in a loop of its own."""
    return raised(lambda: asyncio.run(make()))


@fact("ex03.no_synchronous_function")
@pytest.mark.parametrize("call", ["invoke", "stream"])
def test_no_synchronous_function(call: str) -> None:
    """an async node under invoke() or stream() raises TypeError: No synchronous
    function provided to "answers"."""
    act = getattr(chain(State, answers), call)
    found = raised(lambda: [*act({"text": ""})])
    assert 'TypeError: No synchronous function provided to "answers".' in found


@fact("ex03.sync_node_under_ainvoke")
def test_sync_node_under_ainvoke() -> None:
    """a plain node under ainvoke() works, in an OS thread of its own"""
    seen: list[int] = []

    def looks(state: State) -> State:
        seen.append(threading.get_ident())
        return {"text": "ok"}

    assert awaited(lambda: chain(State, looks).ainvoke({"text": ""})) == OK
    assert [threading.get_ident()] != seen


def run(work: Any, runs: Callable[[Any], Any] = asyncio.run) -> Any:
    """Run a coroutine, and close it where that was refused."""
    try:
        return runs(work)
    finally:
        work.close()


ASYNCIO_RUN = "RuntimeError: asyncio.run() cannot be called from a running event loop"


@fact("ex03.asyncio_run_in_a_loop")
def test_asyncio_run_in_a_loop() -> None:
    """asyncio.run() raises where a loop runs: in an async endpoint, in an async
    node, and in a plain node that such an endpoint reaches by invoke()"""

    def plain(state: State) -> State:
        return run(answers(state))

    async def node(state: State) -> State:
        return run(answers(state))

    app = chain(State, answers)
    assert in_loop(lambda: run(app.ainvoke({"text": ""}))) == ASYNCIO_RUN
    assert in_loop(lambda: chain(State, plain).invoke({"text": ""})) == ASYNCIO_RUN
    assert awaited(lambda: chain(State, node).ainvoke({"text": ""})) == ASYNCIO_RUN


@fact("ex03.run_until_complete_in_a_loop")
def test_run_until_complete_in_a_loop() -> None:
    """loop.run_until_complete() raises there RuntimeError: This event loop is already
    running"""

    def act() -> Any:
        loop = asyncio.get_running_loop()
        return run(answers({"text": ""}), loop.run_until_complete)

    assert in_loop(act) == "RuntimeError: This event loop is already running"


def graph_of(client: Callable[[], httpx.AsyncClient], bench: Bench) -> Any:
    """Return a graph whose node asks the model server through a client."""

    async def asks(state: State) -> State:
        head = {"authorization": f"Bearer {KEY}"}
        reply = await client().get(bench.url + "/models", headers=head)
        return {"text": "ok" if reply.status_code == 200 else reply.text}

    return chain(State, asks)


def per_request(app: Any) -> list[str]:
    """Return the result of four requests, each in a loop of its own."""
    return [awaited(lambda: app.ainvoke({"text": ""})) for _ in range(4)]


@fact("ex03.closed_loop_alternates")
def test_closed_loop_alternates(models: Bench) -> None:
    """one AsyncClient for all, and one asyncio.run() for each request: every second
    request raises RuntimeError: Event loop is closed"""
    shared = httpx.AsyncClient()
    found = per_request(graph_of(lambda: shared, models))
    assert found == [OK, CLOSED, OK, CLOSED]


@fact("ex03.client_per_call")
def test_client_per_call(models: Bench) -> None:
    """with a new AsyncClient for each call all requests are answered"""
    assert per_request(graph_of(httpx.AsyncClient, models)) == [OK] * 4


@fact("ex03.one_loop_for_all")
def test_one_loop_for_all(models: Bench) -> None:
    """with one loop for all requests a shared AsyncClient answers them all"""
    shared = httpx.AsyncClient()
    app = graph_of(lambda: shared, models)

    async def serve() -> list[Any]:
        return [await app.ainvoke({"text": ""}) for _ in range(4)]

    assert asyncio.run(serve()) == [{"text": "ok"}] * 4


@fact("ex03.fresh_model_alternates")
@pytest.mark.parametrize("fresh", [False, True], ids=["shared", "fresh"])
def test_fresh_model_alternates(models: Bench, fresh: bool) -> None:
    """ChatOpenAI alternates too, even when the node makes a new one for each call,
    since its async client is cached for the process"""
    shared = models.model()

    async def asks(state: State) -> State:
        model: ChatOpenAI = models.model() if fresh else shared
        await model.ainvoke("Hi")
        return {"text": "ok"}

    found = per_request(chain(State, asks))
    assert found == [OK, CLOSED, OK, CLOSED]


@fact("ex03.sqlite_saver_under_ainvoke")
def test_sqlite_saver_under_ainvoke(tmp_path: Path) -> None:
    """SqliteSaver under ainvoke() raises NotImplementedError: The SqliteSaver does
    not support async methods"""
    app = chain(State, answers, saver=sqlite_saver(tmp_path / "c.db"))
    found = awaited(lambda: app.ainvoke({"text": ""}, THREAD))
    assert "NotImplementedError: The SqliteSaver does not support async" in found


@fact("ex03.async_saver_in_its_own_loop")
def test_async_saver_in_its_own_loop(tmp_path: Path) -> None:
    """AsyncSqliteSaver under invoke() on the OS thread of its own loop raises
    InvalidStateError"""

    async def endpoint() -> str:
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "c.db")) as saver:
            app = chain(State, answers_plainly, saver=saver)
            return raised(app.invoke, {"text": ""}, THREAD)

    found = asyncio.run(endpoint())
    expected = "AsyncSqliteSaver are only allowed from a different thread."
    assert expected in found
    assert found.split(":")[0] == "InvalidStateError"


@fact("ex03.saver_of_another_loop")
def test_saver_of_another_loop(tmp_path: Path) -> None:
    """AsyncSqliteSaver that has served a run in one loop raises in every other one
    RuntimeError: … is bound to a different event loop"""
    made: list[Any] = []

    async def serve() -> Any:
        if not made:
            connection = await aiosqlite.connect(str(tmp_path / "c.db"))
            saver = AsyncSqliteSaver(connection)
            made.extend((chain(State, answers, saver=saver), connection))
        return await made[0].ainvoke({"text": ""}, THREAD)

    try:
        assert awaited(serve) == OK
        for found in (awaited(serve), awaited(serve)):
            assert found[:14] == "RuntimeError: "
            assert "is bound to a different event loop" in found
    finally:
        asyncio.run(made[1].close())


@fact("ex03.async_saver_without_a_loop")
def test_async_saver_without_a_loop() -> None:
    """an async saver that is made where no loop runs raises RuntimeError: no running
    event loop"""
    assert raised(AsyncSqliteSaver, None) == "RuntimeError: no running event loop"


@fact("ex03.default_pool")
def test_default_pool() -> None:
    """asyncio.to_thread() has min(32, cpus + 4) OS threads: one call more waits"""
    room = min(32, (os.cpu_count() or 1) + 4)
    inside = threading.Semaphore(0)
    leave = threading.Event()

    def call() -> None:
        inside.release()
        leave.wait(LIMIT_S)

    async def full() -> int:
        calls = [asyncio.create_task(asyncio.to_thread(call)) for _ in range(room + 1)]
        for _ in range(room):
            await asyncio.get_running_loop().run_in_executor(own, inside.acquire)
        waiting = asyncio.get_running_loop()._default_executor._work_queue.qsize()
        leave.set()
        await asyncio.gather(*calls)
        return waiting

    with ThreadPoolExecutor(1) as own:
        assert asyncio.run(full()) == 1
