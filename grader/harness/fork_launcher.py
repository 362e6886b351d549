"""Workers forked from one preloaded process, which imported nothing of theirs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Collection, Mapping, Sequence

from grader.harness import pids, tiers
from grader.harness.launch import GraderBroke, Job, Launched, Place
from grader.harness.limits import SWEEP_LIMIT_S
from grader.harness.line import Line
from grader.harness.preloaded import Preloaded
from grader.harness.strays import end_strays


class ForkLauncher:
    """Workers forked from one preloaded process, which imported nothing of theirs.

    Those that start apart are forked from a second one, which the first has started
    once somebody needs it: an interpreter of its own, with another hash seed. `tier`
    is what stands around them; see `tiers`. A sandbox is entered from `preloaded`,
    which must have the modules that this is opened with, or from a zygote of its own.
    """

    starting_s = 0.0

    def __init__(
        self, tier: int = tiers.NOT_ISOLATED, preloaded: Preloaded | None = None
    ) -> None:
        self.preload_problems: Mapping[str, str] = {}
        self.tier, self.origin = tier, ""
        self._around = tiers.Tier(tier, preloaded)
        self.owner = self._around.owner
        self._closing = False
        self._second: Line | None = None
        self._opening: asyncio.Task[Line] | None = None

    async def open(self, place: Place, modules: Sequence[str]) -> None:
        """Start the forkserver and wait until its libraries are imported."""
        control, theirs = socket.socketpair()
        self._folder = str(place.folder)
        settings = json.dumps(self._around.settings(place))
        self._log = log = place.folder / "forkserver.log"
        with theirs, log.open("wb") as output:
            fd = theirs.fileno()
            self._settings = json.loads(settings)
            arguments = [self._around.removed(place), settings, *modules]
            self._process = await self._around.start(arguments, place, fd, output)
        self._first = Line(control, self._end, self._gone)
        try:
            ready = await self._first.ready()
            self.preload_problems = ready["problems"]
            if ready["port"]:
                self.origin = f"http://127.0.0.1:{ready['port']}"
            root: int = ready["host_pid"]
        except BaseException as problem:
            self._first.hang_up()
            self._around.let_go()
            self._end()
            await self._process.wait()
            if not isinstance(problem, TimeoutError | ValueError):
                raise
            tail = log.read_text(errors="replace")[-500:]
            raise GraderBroke(f"the forkserver did not start: {tail}") from problem
        # Nothing else was forked so far: this is the forwarder, where there is one.
        self._between = pids.children(root)
        self._first.listen(root)

    async def start(self, job: Job) -> Launched:
        """Fork a worker; raises `GraderBroke` when the forkserver is gone."""
        line = await self._apart() if job.apart else self._first
        return await line.start(job)

    def kill(self, pid: int) -> None:
        """End a worker and its process group, as `kill -9` does."""
        apart = self._second is not None and self._second.runs(pid)
        line = self._second if apart and self._second else self._first
        line.kill(pid)

    async def sweep(self, everything: bool) -> int:
        """End orphans, with `everything` all workers; return how many would not end."""
        left = 0 if self._second is None else await self._second.sweep(everything)
        return left + await self._first.sweep(everything)

    def root_pid(self) -> int:
        """Return the process that submissions come from, if they do not start apart."""
        return self._first.root

    def roots(self) -> Sequence[int]:
        """Return the processes that all of a run's descend from, or are."""
        return [line.root for line in self._lines()]

    def started(self) -> Collection[int]:
        """Return this machine's numbers of the workers since the last sweep of all."""
        return [pid for line in self._lines() for pid in line.started]

    def between(self) -> Sequence[int]:
        """Return the processes that pass bytes on from workers to the fakes."""
        return self._between

    def is_alive(self) -> bool:
        """Whether the forkservers still obey."""
        return all(line.is_alive() for line in self._lines())

    async def close(self) -> None:
        """End everything: the forkserver does it when its channel ends."""
        self._closing = True
        self._first.hang_up()
        if self._second is not None:
            self._second.hang_up()
        self._around.let_go()
        try:
            await asyncio.wait_for(self._process.wait(), 2 * SWEEP_LIMIT_S)
        except TimeoutError:
            self._process.kill()
            await asyncio.to_thread(end_strays, self._folder)
            await self._process.wait()
        await self._first.ended()
        if self._opening is not None:  # it may not have come to its end
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._second is not None:
            await self._second.ended()

    def _lines(self) -> list[Line]:
        return [self._first] + ([] if self._second is None else [self._second])

    async def _apart(self) -> Line:
        """Return the line to the second forkserver, which is started if need be."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open_second())
        # Who asks may be cancelled; half a forkserver would end the first one too.
        return await asyncio.shield(self._opening)

    async def _open_second(self) -> Line:
        control, theirs = socket.socketpair()
        settings = json.dumps({**self._settings, "sockets": "", "emptied": []})
        with theirs, self._log.open("ab") as output:
            if not self._around.start_apart(settings, theirs.fileno(), output):
                await self._first.order({"do": "nursery"}, theirs)
        line = Line(control, self._end, self._second_gone)
        try:
            ready = await line.ready()
        except (TimeoutError, ValueError) as problem:
            line.hang_up()
            raise GraderBroke("a second forkserver did not start") from problem
        line.listen(ready["host_pid"])
        self._second = line
        return line

    def _end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _second_gone(self) -> None:
        if not self._closing:  # without it the next submission would seem to hang
            self._end()

    async def _gone(self) -> None:
        if not self._closing:
            await asyncio.to_thread(end_strays, self._folder)
