"""An application in operation: its saver, its pool, and a server of several workers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg_pool import AsyncConnectionPool
from psycopg_pool.base import AttemptWithBackoff

from tests.drift.small_graphs import LIMIT_S, THREAD

fact = pytest.mark.fact


class Counting(AsyncConnectionPool[Any]):
    """A pool that counts how many ask it for a connection at the same time."""

    inside, most = 0, 0

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Any]:
        """Let all others ask meanwhile, and have no connection then."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        for _ in range(10):
            await asyncio.sleep(0)
        self.inside -= 1
        raise ConnectionError
        yield


@fact("ex10.one_connection_at_a_time")
def test_one_connection_at_a_time() -> None:
    """a saver on a pool asks it for one connection at a time, however many turns run"""

    async def most() -> int:
        pool = Counting(open=False)
        saver = AsyncPostgresSaver(pool)
        turns = [saver.aget_tuple(THREAD) for _ in range(5)]
        await asyncio.gather(*turns, return_exceptions=True)
        return pool.most

    assert asyncio.run(most()) == 1


@fact("ex10.a_pool_waits_longer")
def test_a_pool_waits_longer() -> None:
    """a pool that finds a dead connection tries the next at once, then after a second,
    two, four"""
    attempt = AttemptWithBackoff(timeout=30.0)
    delays = [attempt.delay]
    for _ in range(3):
        attempt.update_delay(0.0)
        delays.append(attempt.delay)
    assert [round(delay / delays[1], 1) for delay in delays] == [0.0, 1.0, 2.0, 4.0]
    assert 0.9 <= delays[1] <= 1.1


BROKEN = """
async def api(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no settings"})
"""


@fact("ex10.one_crash_at_start_stops_all")
def test_one_crash_at_start_stops_all(tmp_path: Path) -> None:
    """with several workers, uvicorn ends when a process's lifespan fails"""
    (tmp_path / "app.py").write_text(BROKEN)
    workers = ("--workers", "2", "--port", "0")
    ended = subprocess.run(
        [sys.executable, "-m", "uvicorn", "app:api", *workers],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=2 * LIMIT_S,
        check=False,
    )
    assert "no settings" in ended.stderr
    assert "failed to start, stopping the parent process" in ended.stderr
