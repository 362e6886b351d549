"""Calls made together, whose profiles are held until all are in or nothing moves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence

from grader.harness.journal import Recorder
from grader.harness.limits import HOLD_LIMIT_S, HURRIED_LIMIT_S, POLL_PERIOD_S
from grader.harness.patience import OutOfPatience, within
from grader.harness.turns import Rest
from grader.vocabulary.outside import PROFILE
from grader.vocabulary.scenario import Call, Together

# So many looks at processes that rest before we say that no more will come: what is
# on its way through the forwarder and through this process is seen by then, however
# crowded the machine is, for only a process without anything to do is at rest.
LOOKS = 25
# Of processor time between two looks. Less is no work, but a look, such as the one that
# uvicorn takes ten times a second.
IDLE_S = 0.001
PASSES = 10  # of this process's own loop between two looks, to take in what has come
FULL, ANSWERED = "all were in", "all were answered"
STILL, LIMIT = "nothing moved any more", "the limit was reached"

Ask = Callable[[Call, int], Awaitable[None]]  # makes one call, by its number
HangUp = Callable[[int, int], None]  # ends one call, by its process and number


class Crowd:
    """One step `together`, and the requests for profiles that wait for its end.

    Users are counted, not requests: one that asks twice is inside once.
    """

    def __init__(
        self,
        recorder: Recorder,
        step: Together,
        pids: Callable[[], Collection[int]],
        between: Sequence[int],
    ) -> None:
        self.step, self.open = step, asyncio.Event()
        self._recorder, self._pids, self._between = recorder, pids, between
        self._inside: Counter[str] = Counter()
        self._entered: set[str] = set()
        self._patience_s = HOLD_LIMIT_S

    @property
    def inside(self) -> int:
        """How many users' profiles are waited for."""
        return len(+self._inside)

    async def enter(self, user: str) -> None:
        """Wait until the profiles are released."""
        self._inside[user] += 1
        self._entered.add(user)
        try:
            await self.open.wait()
        finally:
            self._inside[user] -= 1

    async def take(self, first: int, ask: Ask, hang_up: HangUp) -> None:
        """Make all calls, the first of which has the number `first`."""
        calls, others = self.step.calls, self.step.meanwhile
        asked = [_begin(ask, call, first + n) for n, call in enumerate(calls)]
        more: list[asyncio.Future[None]] = []
        expected = len(calls)
        try:
            why = await self._settled(
                lambda: self.inside >= expected or all(one.done() for one in asked)
            )
            inside = self.inside
            if why == FULL and inside < expected:
                why = ANSWERED
            leaving = [n for n, call in enumerate(calls) if call.hangs_up]
            for n in leaving:
                hang_up(calls[n].process, first + n)
            if leaving:  # what that sets going has come to its end
                await self._settled()
            first += expected
            more += [_begin(ask, call, first + n) for n, call in enumerate(others)]
            if more:
                await self._settled(lambda: all(one.done() for one in more))
            self._recorder.record(
                "released", event=PROFILE, inside=inside, expected=expected, why=why
            )
            self.open.set()
            await asyncio.gather(*asked, *more)
            if leaving:
                await self._settled()
        finally:
            self.open.set()
            for one in (*asked, *more):
                one.cancel()

    async def _settled(self, done: Callable[[], bool] = lambda: False) -> str:
        """Wait until it is done, or nothing moves any more; return which it is.

        A process that never rests has a limit, of time and of processor time, which
        begins anew with each user who comes in, as often as users are expected.
        """
        pids = self._pids()
        rest = Rest(pids, LOOKS, self._between, IDLE_S)
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def look() -> None:
            while not (done() or rest.look()):
                await asyncio.wait({never}, timeout=POLL_PERIOD_S)
                for _ in range(PASSES):
                    await asyncio.sleep(0)

        for _ in range(len(self.step.calls) + 1):
            entered = len(self._entered)
            try:
                await within(look(), self._patience_s, pids, self._patience_s)
                return FULL if done() else STILL
            except OutOfPatience:
                if entered == len(self._entered):
                    break
        self._patience_s = HURRIED_LIMIT_S  # once is enough for a step
        return LIMIT


def _begin(ask: Ask, call: Call, number: int) -> asyncio.Future[None]:
    return asyncio.ensure_future(ask(call, number))
