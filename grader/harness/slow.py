"""A checkpoint database that is slow at one moment, which shows who waits for it.

So are the files beside it, where a submission may keep something of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from grader.harness.holder import Holder
from grader.harness.launch import Launched
from grader.harness.limits import STORED_LIMIT_S
from grader.harness.patience import until
from grader.harness.turns import POLLED_S, Rest, ran_s
from grader.vocabulary import Scenario
from grader.vocabulary.outside import Slow, SlowAfter


class SlowDatabase:
    """Takes no write from an event on, until the processes do nothing but wait.

    Nor can a file beside it be opened for writing (on Linux; see `holding.leases`).

    A process that waits for its row gets it then; one that goes on meanwhile can be
    seen going on, without a clock.
    """

    def __init__(
        self, holder: Holder, pids: Callable[[], Collection[int]], scenario: Scenario
    ) -> None:
        self._holder, self._pids = holder, pids
        self._times = sum(isinstance(s, Slow | SlowAfter) for s in scenario.steps)
        self._events: set[str] = set()
        self._releasing: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Prepare to be slow, as often as the scenario says."""
        self._holder.prepare(self._times)

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
        held_by = await self._holder.hold()
        if held_by is not None:
            self._releasing = asyncio.create_task(self._release(held_by, idle_s))

    async def _release(self, held_by: Launched, idle_s: float) -> None:
        before, rest = ran_s(self._pids()), Rest(self._pids(), idle_s=idle_s)
        try:
            # They rest before the answer of the event has come as well.
            await until(
                lambda: rest.look() and rest.ran_s != before,
                STORED_LIMIT_S,
                self._pids(),
            )
        finally:
            self._holder.release(held_by)

    async def close(self) -> None:
        """Be as quick as before."""
        if self._releasing is not None:
            self._releasing.cancel()
            await asyncio.wait({self._releasing})
