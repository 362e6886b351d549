"""A checkpoint database that is slow at one moment, which shows who waits for it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path

from grader.harness.limits import STORED_LIMIT_S
from grader.harness.patience import until
from grader.harness.turns import Rest, ran_s
from grader.vocabulary.outside import SlowAfter


class SlowDatabase:
    """Takes no write from an event on, until the processes do nothing but wait.

    A process that waits for its row gets it then; one that goes on meanwhile can be
    seen going on, without a clock.
    """

    def __init__(self, path: Path, pids: Callable[[], Collection[int]]) -> None:
        self._path, self._pids = path, pids
        self._events: set[str] = set()
        self._releasing: asyncio.Task[None] | None = None

    def arm(self, step: SlowAfter) -> None:
        """Be slow after the next event of this name."""
        self._events.add(step.event)

    async def after(self, event: str) -> None:
        """Be slow from now on, if this is the event."""
        if event not in self._events:
            return
        self._events.discard(event)
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        if await until(lambda: _locks(connection), STORED_LIMIT_S):
            self._releasing = asyncio.create_task(self._release(connection))
        else:
            connection.close()

    async def _release(self, connection: sqlite3.Connection) -> None:
        before, rest = ran_s(self._pids()), Rest(self._pids())
        try:
            # They rest before the answer of the event has come as well.
            await until(
                lambda: rest.look() and rest.ran_s != before,
                STORED_LIMIT_S,
                self._pids(),
            )
        finally:
            connection.close()

    async def close(self) -> None:
        """Be as quick as before."""
        if self._releasing is not None:
            self._releasing.cancel()
            await asyncio.wait({self._releasing})


def _locks(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:  # a process writes
        return False
    return True
