"""A gateway before the servers of a scenario: it takes turns, and sends again."""

from __future__ import annotations

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from grader.harness.journal import Recorder
from grader.harness.process import Process
from grader.vocabulary.outside import DropsConnections, Traffic
from grader.vocabulary.scenario import Call, Fails

if TYPE_CHECKING:
    from grader.harness.supervisor import Supervisor

ATTEMPTS = 20  # of one request, before its conversation goes on without an answer
LOST = ("killed", "died", "hang", "disconnected", "not_run")  # no answer came


async def take_traffic(supervisor: Supervisor, step: Traffic) -> None:
    """Serve all of it with a supervisor's processes, and look at what is stored."""
    tools = (supervisor.outages.drop, supervisor.world.script.apply)
    await Gateway(step, supervisor.processes, supervisor.recorder, *tools).run()
    await supervisor.look()


class Gateway:
    """Serves one traffic; faults come by the count of answers, never by a clock.

    Args:
        step: what to send, and how often something fails.
        processes: the servers, in whose order it takes turns.
        recorder: of the scenario.
        drop: ends all connections to the database.
        fail: lets the model's next request fail.
    """

    def __init__(
        self,
        step: Traffic,
        processes: Sequence[Process],
        recorder: Recorder,
        drop: Callable[[DropsConnections], Awaitable[None]],
        fail: Callable[[Fails], None],
    ) -> None:
        self._step, self._processes = step, processes[: step.servers]
        self._recorder, self._drop, self._fail = recorder, drop, fail
        self._sent, self._answers, self._turn, self._victim = 0, 0, 0, 0
        self._faults: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Let all conversations begin at once, and wait for the last answer."""
        striking = asyncio.create_task(self._strike())
        talks = [self._talk(talk) for talk in self._step.conversations]
        try:
            await asyncio.gather(*talks)
            struck = asyncio.ensure_future(self._faults.join())
            # A server that does not start again is told, and not waited for.
            await asyncio.wait({striking, struck}, return_when=FIRST_COMPLETED)
            struck.cancel()
            if striking.done():
                striking.result()
        finally:
            striking.cancel()
            await asyncio.gather(striking, return_exceptions=True)

    async def _talk(self, requests: Sequence[Mapping[str, Any]]) -> None:
        for request in requests:
            for _ in range(ATTEMPTS):
                if await self._answered(request):
                    break

    async def _answered(self, request: Mapping[str, Any]) -> bool:
        """Send one request to whose turn it is; return whether it was answered."""
        process = self._next()
        call = Call(process.number, "POST", (self._step.path, request), http=True)
        self._sent += 1
        reply = await process.call(self._sent, call)
        if reply.data.get("error") in LOST:
            self._faults.put_nowait(f"start {self._processes.index(process)}")
        if not reply.ok:  # not counted, or one kill would call for the next
            return False
        self._answers += 1
        for fault, every in self._step.every.items():
            if self._answers % every == 0:
                self._faults.put_nowait(fault)
        return True

    def _next(self) -> Process:
        """Return the next server that runs, as a balancer that probes them does."""
        for _ in self._processes:
            self._turn += 1
            process = self._processes[self._turn % len(self._processes)]
            if process.ready:
                break
        return process

    async def _strike(self) -> None:
        """Let the faults happen, one after the other."""
        while True:
            fault = await self._faults.get()
            if fault == "kill":
                await self._kill(self._processes[self._victim % len(self._processes)])
                self._victim += 1
            elif fault == "drop":
                await self._drop(DropsConnections())
            elif fault == "fail":
                self._fail(Fails(self._step.event))
            else:
                process = self._processes[int(fault.split()[1])]
                if process.killed or not process.ready:
                    await process.gone()
                    await process.start(restarted=True)
            self._faults.task_done()

    async def _kill(self, process: Process) -> None:
        self._recorder.record(
            "fault", process.number, what="killed", event=None, stored=None
        )
        process.kill()
        await process.gone()
        await process.start(restarted=True)
