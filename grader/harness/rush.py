"""Processes that start at the same instant on an empty database, seen from outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from grader.harness.ahead import REPEATED, Ahead
from grader.harness.journal import Recorder
from grader.harness.limits import POLL_PERIOD_S, STORED_LIMIT_S
from grader.harness.patience import OutOfPatience, within
from grader.harness.process import Process

OVER, WAITS, ASKS = "over", "waits", "asks"


class Rush:
    """Holds a replica ahead of the processes until each of them shows what it does."""

    def __init__(
        self, ahead: Ahead, processes: Sequence[Process], recorder: Recorder
    ) -> None:
        self._ahead, self._processes, self._recorder = ahead, processes, recorder
        self._over: set[int] = set()
        self._task: asyncio.Task[None] | None = None
        self._began = self._ended = 0.0

    async def begin(self, tables: tuple[str, ...]) -> None:
        """Be ahead, before any process starts."""
        await self._ahead.hold(tables)
        for process in self._processes:
            process.held_s = self._held_s
        self._began = time.monotonic()
        self._task = asyncio.create_task(self._run(tables))
        self._task.add_done_callback(self._is_over)

    def over(self, process: Process) -> None:
        """Note that a process has an outcome: a reply, or an end."""
        self._over.add(process.number)

    async def close(self) -> None:
        """Be ahead of nobody any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._ahead.close()

    def _is_over(self, _: asyncio.Task[None]) -> None:
        self._ended = time.monotonic()

    def _held_s(self) -> float:
        return (self._ended or time.monotonic()) - self._began

    async def _run(self, tables: tuple[str, ...]) -> None:
        for table in tables:
            states, blocked = await self._settled()
            if [*states.values()] == [OVER] * len(self._processes):
                return
            for process in self._processes:
                self._record(process, states, blocked, table)
            inside, expected = [*states.values()].count(WAITS), len(self._processes)
            self._recorder.record(
                "released", event=table, inside=inside, expected=expected
            )
            await self._ahead.lose()

    async def _settled(self) -> tuple[dict[int, str], Mapping[int, list[int]]]:
        """Return what each process does, once nothing more can come of it."""
        found: tuple[dict[int, str], Mapping[int, list[int]]] = ({}, {})

        async def look(enough: Callable[[], bool]) -> None:
            nonlocal found
            never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            first = True
            while True:
                blocked = await self._ahead.blocked()
                if blocked and first:
                    first = False
                    self._ahead.wires.forget()
                found = self._states(blocked), blocked
                if enough():
                    return
                await asyncio.wait({never}, timeout=POLL_PERIOD_S)

        await look(lambda: all(p.launched is not None for p in self._processes))
        try:
            limited = look(lambda: len(found[0]) == len(self._processes))
            await within(limited, STORED_LIMIT_S, [*map(_pid, self._processes)])
        except OutOfPatience:
            pass  # it neither waits nor ends; the others have waited enough
        return found

    def _states(self, blocked: Mapping[int, list[int]]) -> dict[int, str]:
        states = {}
        for process in self._processes:
            if process.number in self._over or process.killed:
                states[process.number] = OVER
            elif self._ahead.wires.servers(_pid(process)) & {*blocked}:
                states[process.number] = WAITS
            elif blocked and self._ahead.wires.repeated(_pid(process)) >= REPEATED:
                states[process.number] = ASKS
        return states

    def _record(
        self,
        process: Process,
        states: Mapping[int, str],
        blocked: Mapping[int, list[int]],
        table: str,
    ) -> None:
        how = states.get(process.number)
        if how not in (WAITS, ASKS):
            return
        servers = self._ahead.wires.servers(_pid(process))
        before = {pid for s in servers for pid in blocked.get(s, ())}
        behind = [
            p.number
            for p in self._processes
            if p is not process and self._ahead.wires.servers(_pid(p)) & before
        ]
        self._recorder.record(
            "queue", process.number, event=table, how=how, behind=behind
        )


def _pid(process: Process) -> int:
    return -1 if process.launched is None else process.launched.host_pid
