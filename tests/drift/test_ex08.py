"""What ex08 says of loops that wait, and of two pools."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

import anyio.to_thread
import pytest

from tests.drift.small_graphs import LIMIT_S, chain

fact = pytest.mark.fact


class State(TypedDict, total=False):
    user: str


def order_of(waits: Callable[[threading.Event, asyncio.Event], Any]) -> list[str]:
    """Return in which order a node waits and a callback of its loop runs.

    An OS thread asks the loop for the callback while the node waits.
    """
    seen: list[str] = []
    entered, gate = threading.Event(), threading.Event()

    async def run() -> None:
        loop, open_ = asyncio.get_running_loop(), asyncio.Event()

        async def node(state: State) -> Any:
            entered.set()
            await waits(gate, open_)
            seen.append("node")

        def callback() -> None:
            seen.append("callback")
            open_.set()

        def asks() -> None:
            assert entered.wait(LIMIT_S)
            loop.call_soon_threadsafe(callback)
            gate.set()

        asking = threading.Thread(target=asks)
        asking.start()
        await chain(State, node).ainvoke({"user": "u"})
        asking.join()
        await asyncio.sleep(0)  # for a callback that had to wait

    asyncio.run(run())
    return seen


@fact("ex08.a_blocking_call_keeps_the_loop")
def test_a_blocking_call_keeps_the_loop() -> None:
    """while an async node is in a blocking call, its loop does nothing else"""

    async def blocks(gate: threading.Event, _: asyncio.Event) -> None:
        assert gate.wait(LIMIT_S)

    assert order_of(blocks) == ["node", "callback"]


@fact("ex08.await_gives_the_loop_back")
def test_await_gives_the_loop_back() -> None:
    """while an async node awaits, its loop goes on"""

    async def awaits(_: threading.Event, open_: asyncio.Event) -> None:
        await asyncio.wait_for(open_.wait(), LIMIT_S)

    assert order_of(awaits) == ["callback", "node"]


@fact("ex08.size_of_the_loops_pool")
def test_size_of_the_loops_pool() -> None:
    """asyncio.to_thread runs at most min(32, cpus + 4) functions at once"""
    cpus = getattr(os, "process_cpu_count", os.cpu_count)() or 1
    room = min(32, cpus + 4)
    inside: list[str] = []
    full, gate = threading.Barrier(room + 1), threading.Event()

    def waits(_: int) -> None:
        inside.append(threading.current_thread().name)
        if not gate.is_set():
            full.wait(LIMIT_S)
            gate.wait(LIMIT_S)

    async def run() -> int:
        asked = [asyncio.ensure_future(asyncio.to_thread(waits, n)) for n in range(60)]
        with ThreadPoolExecutor(1) as own:  # the loop's pool has no room for it
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(own, full.wait, LIMIT_S)
        most = len(inside)
        gate.set()
        await asyncio.gather(*asked)
        return most

    assert asyncio.run(run()) == room
    assert len(set(inside)) == room


@fact("ex08.plain_nodes_run_in_the_loops_pool")
def test_plain_nodes_run_in_the_loops_pool() -> None:
    """LangGraph runs a plain node under ainvoke() in the loop's default pool, and
    so in one that the loop was given"""

    def node(state: State) -> Any:
        return {"user": threading.current_thread().name}

    async def run() -> str:
        pool = ThreadPoolExecutor(100, thread_name_prefix="given")
        asyncio.get_running_loop().set_default_executor(pool)
        found = await chain(State, node).ainvoke({"user": "u"})
        return str(found["user"])

    assert asyncio.run(run()).startswith("given")


@fact("ex08.the_servers_pool_can_be_raised")
def test_the_servers_pool_can_be_raised() -> None:
    """more tokens let more plain endpoints run at once: 48 meet in a barrier"""
    meets = threading.Barrier(48)

    async def run() -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 100
        async with anyio.create_task_group() as group:
            for _ in range(48):
                group.start_soon(anyio.to_thread.run_sync, meets.wait, LIMIT_S)

    asyncio.run(run())


@fact("ex08.an_os_thread_is_not_cancelled")
def test_an_os_thread_is_not_cancelled() -> None:
    """cancelling who awaits an OS thread leaves it waiting"""
    entered, gate, left = threading.Event(), threading.Event(), threading.Event()

    def waits() -> None:
        entered.set()
        gate.wait(LIMIT_S)
        left.set()

    async def run() -> bool:
        task = asyncio.ensure_future(asyncio.to_thread(waits))
        with ThreadPoolExecutor(1) as own:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(own, entered.wait, LIMIT_S)
        task.cancel()
        await asyncio.wait({task})
        still = not left.is_set()
        gate.set()
        return still

    assert asyncio.run(run())
    assert left.is_set()
