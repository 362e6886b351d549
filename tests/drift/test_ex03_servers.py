"""What a server's loop imports and runs, and savers that belong to a loop."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import MessagesState
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from tests.drift.small_graphs import LIMIT_S, PROGRAMS, THREAD, chain, raised

fact = pytest.mark.fact


async def answers(state: MessagesState) -> Any:
    return {"messages": ["ok"]}


@pytest.mark.skipif(os.name == "nt", reason="a server ends with its process group")
@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        pytest.param("1", "before the loop", marks=fact("ex03.import_before_loop")),
        pytest.param("2", "in a running loop", marks=fact("ex03.import_in_loop")),
    ],
)
def test_when_uvicorn_imports(tmp_path: Path, workers: str, expected: str) -> None:
    """uvicorn imports the application before its loop runs; with several workers,
    each imports it in the running loop"""
    output = tmp_path / "output"
    app = "imported_by_uvicorn:api"
    options = ["--port", "0", "--workers", workers, "--app-dir", str(PROGRAMS)]
    with output.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", app, *options],
            stdout=file,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        server.wait(LIMIT_S)
    assert expected in output.read_text()


@fact("ex03.never_awaited")
def test_never_awaited() -> None:
    """a coroutine that asyncio.run() refuses is never awaited, and Python says so"""

    async def endpoint() -> str:
        app = chain(MessagesState, answers)
        return raised(lambda: asyncio.run(app.ainvoke({"messages": "Hi"})))

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        asyncio.run(endpoint())
        gc.collect()
    assert "was never awaited" in " ".join(str(one.message) for one in seen)


@fact("ex03.failed_question_is_stored")
def test_failed_question_is_stored() -> None:
    """a run that failed has stored its question: a second try asks it twice"""
    failures = [RuntimeError("Event loop is closed")]

    def fails_once(state: MessagesState) -> Any:
        if failures:
            raise failures.pop()
        return {"messages": ["ok"]}

    app = chain(MessagesState, fails_once, saver=InMemorySaver())
    assert "RuntimeError" in raised(app.invoke, {"messages": "Hi"}, THREAD)
    found = app.invoke({"messages": "Hi"}, THREAD)["messages"]
    assert [message.content for message in found] == ["Hi", "Hi", "ok"]


@fact("ex03.pool_of_the_server")
def test_pool_of_the_server() -> None:
    """the pool in which a server runs plain endpoints has 40 OS threads"""

    async def room() -> float:
        return anyio.to_thread.current_default_thread_limiter().total_tokens

    assert asyncio.run(room()) == 40


@fact("ex03.postgres_saver_under_ainvoke")
def test_postgres_saver_under_ainvoke(postgres: str) -> None:
    """PostgresSaver under ainvoke() raises NotImplementedError with an empty
    message"""
    with PostgresSaver.from_conn_string(postgres) as saver:
        app = chain(MessagesState, answers, saver=saver)
        found = raised(lambda: asyncio.run(app.ainvoke({"messages": "Hi"}, THREAD)))
    assert found == "NotImplementedError: "


@fact("ex03.postgres_saver_of_another_loop")
def test_postgres_saver_of_another_loop(postgres: str) -> None:
    """AsyncPostgresSaver with a pool that two runs at once have used, used by two in
    another loop than its own, raises RuntimeError: … is bound to a different event
    loop"""

    async def two_at_once(app: Any) -> None:  # one of them has to wait for the other
        turn: Any = {"messages": "Hi"}
        threads = [{"configurable": {"thread_id": name}} for name in "ab"]
        await asyncio.gather(*(app.ainvoke(turn, thread) for thread in threads))

    async def serve() -> str:
        options = {"autocommit": True, "row_factory": dict_row}
        pool = AsyncConnectionPool(postgres, kwargs=options, open=False, min_size=2)
        async with pool:
            saver = AsyncPostgresSaver(pool)
            await saver.setup()
            app = chain(MessagesState, answers, saver=saver)
            await two_at_once(app)
            return await asyncio.to_thread(
                lambda: raised(lambda: asyncio.run(two_at_once(app)))
            )

    found = asyncio.run(serve())
    assert "is bound to a different event loop" in found
