"""What happens to the database of one scenario, and what its connections show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grader.harness.first import FirstImport
from grader.harness.journal import Recorder
from grader.harness.order import empty_start
from grader.harness.process import Process
from grader.harness.rush import Rush
from grader.harness.stall import Stall
from grader.harness.stores import Store
from grader.vocabulary import Scenario, outside


class Outages:
    """Takes the steps that are about the database; `processes` may be added later."""

    def __init__(self, store: Store, recorder: Recorder) -> None:
        self.processes: Sequence[Process] = ()
        self._store, self._recorder = store, recorder
        self._rush: Rush | None = None
        self._pauses: list[Rush | Stall] = []

    async def start(self, scenario: Scenario, first: FirstImport) -> None:
        """Start all processes, or let each of them start with its first call."""
        empty = empty_start(scenario)
        if empty is None:
            await first.start(self.processes)
            return
        await first.past()
        ahead = self._store.ahead()
        if ahead is not None:
            called = {call.process for call in scenario.calls}
            rushing = [p for p in self.processes if p.number in called]
            self._rush = Rush(ahead, rushing, self._recorder)
            self._pauses.append(self._rush)
            await self._rush.begin(empty.held)

    async def drop(self, _: outside.DropsConnections) -> None:
        """Let the server end every connection."""
        ended = await self._store.drop_connections()
        what = "connections dropped"
        self._recorder.record("fault", what=what, event=None, connections=ended)

    async def stall(self, step: outside.Stalls) -> None:
        """Let nobody at a table for a moment."""
        ahead = self._store.ahead()
        if ahead is not None:
            stall = Stall(ahead, self._recorder, self.pids, self.connections)
            self._pauses.append(stall)
            await stall.begin(step.table)

    def over(self, process: Process) -> None:
        """Note that a call of a process has an outcome."""
        if self._rush is not None:
            self._rush.over(process)

    def connections(self) -> dict[str, Any]:
        """Return how many connections to the database each process has open now."""
        pids = {p.number: p.launched.host_pid for p in self.processes if p.launched}
        counts = {str(n): self._store.connections(pid) for n, pid in pids.items()}
        return {} if None in counts.values() else {"connections": counts}

    def pids(self) -> list[int]:
        """Return what this machine calls the processes."""
        return [p.launched.host_pid for p in self.processes if p.launched is not None]

    async def close(self) -> None:
        """Hold nobody up any more."""
        for pause in self._pauses:
            await pause.close()
