"""A checkpoint database that is slow at one moment, which shows who waits for it.

So are the files beside it, where a submission may keep something of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path

from grader.harness import leases
from grader.harness.limits import STORED_LIMIT_S
from grader.harness.patience import until
from grader.harness.turns import POLLED_S, Rest, ran_s
from grader.vocabulary.outside import SlowAfter


class SlowDatabase:
    """Takes no write from an event on, until the processes do nothing but wait.

    Nor can a file beside it be opened for writing (on Linux; see `leases`).

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
        if event in self._events:
            self._events.discard(event)
            await self.begin(idle_s=0.0)

    async def begin(self, idle_s: float = POLLED_S) -> None:
        """Be slow from now on; who runs no longer than `idle_s` seconds is at rest."""
        if not self._is_database():
            return
        with contextlib.ExitStack() as stack:
            try:
                connection = sqlite3.connect(
                    self._path, timeout=0, isolation_level=None
                )
                stack.callback(connection.close)
                if not await until(lambda: self._locks(connection), STORED_LIMIT_S):
                    return
            except sqlite3.Error:  # what a submission has put there is no database
                return
            held = leases.hold(self._path.parent, spared=self._path.name)
            stack.pop_all()
        self._releasing = asyncio.create_task(self._release(connection, idle_s))
        self._releasing.add_done_callback(lambda _: leases.release(held))

    def _is_database(self) -> bool:
        """Whether a database is there, or may be made: no link, and no folder."""
        if os.path.lexists(self._path):
            return self._path.is_file() and not self._path.is_symlink()
        return True

    def _locks(self, connection: sqlite3.Connection) -> bool:
        if os.path.lexists(f"{self._path}-journal"):
            return False  # to roll one back is the submission's own business
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:  # a process writes
            return False
        return True

    async def _release(self, connection: sqlite3.Connection, idle_s: float) -> None:
        before, rest = ran_s(self._pids()), Rest(self._pids(), idle_s=idle_s)
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
