"""A database that answers nobody for a moment, so that everybody waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import psycopg

from grader.harness.ahead import Ahead
from grader.harness.journal import Recorder
from grader.harness.limits import POLL_PERIOD_S, STORED_LIMIT_S
from grader.harness.patience import OutOfPatience, within
from grader.harness.turns import Rest


class Stall:
    """Locks a table until the processes do nothing but wait, for it or each other.

    So each connection that a rush of turns can open is open when it ends: a pool that
    is small stays small, and one that is large has grown.
    """

    def __init__(
        self,
        ahead: Ahead,
        recorder: Recorder,
        pids: Callable[[], Collection[int]],
        connections: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._ahead, self._recorder = ahead, recorder
        self._pids, self._connections = pids, connections
        self._task: asyncio.Task[None] | None = None

    async def begin(self, table: str) -> None:
        """Take the lock; a table that is not there, or is in use, stays as it is."""
        with contextlib.suppress(psycopg.Error):
            await self._ahead.lock(table)
            self._task = asyncio.create_task(self._run(table))

    async def close(self) -> None:
        """Lock nothing any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._ahead.close()

    async def _run(self, table: str) -> None:
        waiting = 0
        rest = Rest(self._pids())

        async def look() -> None:
            nonlocal waiting
            never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            while True:
                blocked, resting = await self._ahead.blocked(), rest.look()
                waiting = len(blocked)
                if blocked and resting and self._ahead.wires.awaited() <= {*blocked}:
                    return
                await asyncio.wait({never}, timeout=POLL_PERIOD_S)

        with contextlib.suppress(OutOfPatience):
            await within(look(), STORED_LIMIT_S, self._pids())
        self._recorder.record(
            "released",
            event=table,
            inside=waiting,
            expected=waiting,
            **self._connections(),
        )
        await self._ahead.lose()
