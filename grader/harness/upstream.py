"""The upstream of one scenario: who asks for profiles, who waits, what was seen."""

from __future__ import annotations

import random
from functools import partial

from grader.fakes.upstream import Answered, Fetch, Profiles
from grader.harness.crowd import Ask, Crowd, HangUp
from grader.harness.journal import Recorder
from grader.harness.launch import Launcher
from grader.harness.limits import LABEL_LIMIT
from grader.harness.world import World
from grader.vocabulary.outside import PROFILE, UpstreamAnswers
from grader.vocabulary.scenario import Together

GONE = -1  # the status of an answer for which nobody has waited


class Upstream:
    """Answers every request for a profile, and writes down when it comes and goes.

    The `launcher` knows the processes through which requests pass.
    """

    def __init__(
        self, recorder: Recorder, seed: int, world: World, launcher: Launcher
    ) -> None:
        rng = random.Random(f"{seed}/{recorder.scenario.name}/upstream")
        self.profiles = Profiles(rng)
        self._recorder, self._world, self._launcher = recorder, world, launcher
        self._crowd: Crowd | None = None
        self._requests = 0
        self._closed = False

    def fetch(self, process: int) -> Fetch:
        """Return whom one process asks for profiles."""
        return partial(self._fetch, process)

    def apply(self, step: UpstreamAnswers) -> None:
        """Answer about a user as the step says."""
        self.profiles.set(self._recorder.drawn.fill(step.user), step.status)

    async def together(
        self, step: Together, first: int, ask: Ask, hang_up: HangUp
    ) -> None:
        """Make the calls of a step, and hold the profiles meanwhile."""
        between = self._launcher.between()
        crowd = Crowd(self._recorder, step, self._world.pids, between)
        self._crowd = crowd
        try:
            await crowd.take(first, ask, hang_up)
        finally:
            self._crowd = None

    def close(self) -> None:
        """Write down nothing more: what is left is cut off by us."""
        self._closed = True

    async def _fetch(self, process: int, user: str) -> Answered:
        self._requests += 1
        known = {"event": PROFILE, "request": self._requests}
        known["user"] = user[:LABEL_LIMIT]
        self._recorder.record("fetch", process, **known)
        answered = Answered(GONE, {})
        try:
            await self._world.spring(process, PROFILE)
            await self._world.held(process, PROFILE)
            if self._crowd is not None:
                await self._crowd.enter(user)
            answered = self.profiles.answer(user)
        finally:
            if not self._closed:
                found = dict(answered.body) if answered.status == 200 else None
                self._recorder.record(
                    "fetched", process, **known, status=answered.status, profile=found
                )
        return answered
