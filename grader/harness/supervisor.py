"""Interprets the steps of one scenario: the only place that knows what they mean."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from grader.fakes.model_server import ModelServer
from grader.harness.files import written
from grader.harness.first import FirstImport
from grader.harness.gateway import take_traffic
from grader.harness.holder import Holder
from grader.harness.jobs import job
from grader.harness.journal import Recorder
from grader.harness.launch import Launcher
from grader.harness.leaks import Secrets
from grader.harness.limits import CALL_LIMIT_S, HARD_LIMIT_S
from grader.harness.nginx import Balancer
from grader.harness.order import Order, shuffled
from grader.harness.outages import Outages
from grader.harness.process import Process
from grader.harness.slow import SlowDatabase
from grader.harness.stores import Store
from grader.harness.till import Till
from grader.harness.upstream import Upstream
from grader.harness.world import World
from grader.vocabulary import outside
from grader.vocabulary.scenario import (
    Answers,
    Call,
    Fails,
    Holds,
    Kill,
    KillWhen,
    Releases,
    Restart,
    Says,
    Sets,
    ShowsAgain,
    Step,
    Stop,
    Together,
)

DONE = (Sets, outside.StartsEmpty, outside.StartsApart)  # as the processes started


class Supervisor:
    """Runs one scenario of an order, in a folder of its own."""

    def __init__(
        self,
        order: Order,
        recorder: Recorder,
        folder: Path,
        code: Path,
        launcher: Launcher,
        server: ModelServer,
        first: FirstImport,
        store: Store,
        home: Path,
    ) -> None:
        self.order, self.recorder, self.server = order, recorder, server
        self.folder, self.code, self.first = folder, code, first
        self.launcher, self.store = launcher, store
        self.scenario = shuffled(recorder.scenario, order.seed, order.processes)
        self.world = World(self.recorder, order.seed, store)
        self.world.provider = order.provider
        self.world.kill, self.world.pids = self._kill, self._pids
        self.world.between = launcher.between
        self.outages = Outages(store, recorder)
        self.world.connections = self.outages.connections
        holder = Holder(store.path, folder, launcher)
        slow = SlowDatabase(holder, self._pids, self.scenario)
        self.till = Till(recorder, order.seed, self.world, slow)
        self.upstream = Upstream(recorder, order.seed, self.world, launcher)
        self.urls: list[str] = []
        count = max(order.processes, self.scenario.process_count)
        self.processes = [self._process(n, launcher) for n in range(count)]
        self.outages.processes = self.processes
        self.balancer = Balancer(home, folder)
        keys = {p.number: p.job.environment["OPENAI_API_KEY"] for p in self.processes}
        self.secrets, self.calls = Secrets(keys), 0

    async def run(self) -> None:
        """Start all processes, take the steps one by one, and write it all down.

        Raises:
            SubmissionBroken: the submission cannot be imported; see `FirstImport`.
        """
        shared = self.store.path.parent
        given = [shared, *shared.iterdir()]
        for process in self.processes:
            cwd, log = Path(process.job.cwd), Path(process.job.log)
            cwd.mkdir()
            log.touch()
            given += [cwd, log]
        self.till.slow.open()
        if self.launcher.owner:
            for path in given:
                os.chown(path, self.launcher.owner, self.launcher.owner)
        try:
            if self.order.exercise.balanced:
                await self.balancer.open(self.processes)
            await self.outages.start(self.scenario, self.first)
            for step in self.scenario.steps:
                await self._take(step)
            self.balancer.certify()
        finally:
            self.upstream.close()
            for process in self.processes:
                process.kill()
                await process.close()
            await self.balancer.close()
            for url in self.urls:
                self.server.dismiss(url)
            await self.till.slow.close()
            await self.outages.close()

    async def _take(self, step: Step) -> None:
        verbs: Mapping[type, Callable[[Any], Awaitable[Any] | None]] = {
            Call: self._call,
            Together: self._together,
            Kill: self._end,
            Restart: self._restart,
            Stop: self._stop,
            KillWhen: self.world.arm,
            Holds: lambda step: self.world.hold(step.event),
            Releases: lambda step: self.world.release(step.event),
            Answers: self.world.order,
            ShowsAgain: self._show_again,
            Says: self.world.script.apply,
            Fails: self.world.script.apply,
            outside.LedgerFails: self.till.ledger.apply,
            outside.SlowAfter: self.till.slow.arm,
            outside.Slow: lambda _: self.till.slow.begin(),
            outside.DropsConnections: self.outages.drop,
            outside.UpstreamAnswers: self.upstream.apply,
            outside.Stalls: self.outages.stall,
            outside.Traffic: partial(take_traffic, self),
            **dict.fromkeys(DONE, lambda _: None),
        }
        taken = verbs[type(step)](step)
        if taken is not None:
            await taken

    async def _call(self, call: Call) -> None:
        await self._one(call)
        await self.look()

    async def _together(self, step: Together) -> None:
        first = self.calls + 1
        self.calls += len(step.calls) + len(step.meanwhile)
        if step.held_at == outside.PROFILE:
            ask = partial(self._one, beside=True)
            await self.upstream.together(step, first, ask, self._hang_up)
        else:
            await self._gathered(step, first)
        await self.look()

    async def _gathered(self, step: Together, first: int) -> None:
        event, count = step.held_at or "", len(step.calls)
        gathering = self.world.gather(event, count, step.answered)

        async def one(call: Call, index: int) -> None:
            if step.answered and index:
                await gathering.entered[index - 1].wait()
            await self._one(call, first + index, beside=True)
            gathering.returned += 1
            gathering.settle()

        await asyncio.gather(*(one(call, n) for n, call in enumerate(step.calls)))

    def _hang_up(self, process: int, number: int) -> None:
        web = self.processes[process].web
        if web is not None:
            web.hang_up(number)

    async def _one(self, call: Call, number: int = 0, beside: bool = False) -> None:
        if not number:
            self.calls += 1
            number = self.calls
        process = self.processes[call.process]
        if process.launched is None:  # it starts with its first call
            await process.start()
        reply = await process.call(number, call, beside)
        self.outages.over(process)
        if reply.data.get("error") == "hang":
            for each in self.processes:
                each.hurry()
        if process.killed:
            await process.gone()

    async def _end(self, step: Kill) -> None:
        known = {"event": None, "stored": None}
        self.recorder.record("fault", step.process, what="killed", **known)
        self._kill(step.process)
        await self.processes[step.process].gone()

    async def _stop(self, step: Restart | Stop) -> list[Process]:
        chosen = [self.processes[number] for number in step.processes]
        chosen = chosen or [each for each in self.processes if each.launched]
        for process in [each for each in chosen if not each.killed]:
            self.recorder.record(
                "fault", process.number, what="told to stop", event=None, stored=None
            )
        await asyncio.gather(*(process.stop() for process in chosen))
        return chosen

    async def _restart(self, step: Restart) -> None:
        chosen = await self._stop(step)
        await asyncio.gather(*(process.start(restarted=True) for process in chosen))

    async def _show_again(self, step: ShowsAgain) -> None:
        function = self.scenario.calls[step.call - 1].function
        await self.processes[step.process].show_again(step.call, function)

    def _kill(self, number: int) -> None:
        self.processes[number].kill()

    def _pids(self) -> list[int]:
        return [p.launched.host_pid for p in self.processes if p.launched is not None]

    async def look(self) -> None:
        """Write down what the shared folder holds now."""
        held = await self.store.look(self.secrets) | self.outages.connections()
        files = written(self.folder, self.store.path)
        self.recorder.record(
            "stored", files=files, database=self.store.variable, **held
        )

    def _process(self, number: int, launcher: Launcher) -> Process:
        key = "sk-" + secrets.token_hex(16)
        asked, desk = partial(self.world.asked, number), self.till.desk(number)
        fetch = self.upstream.fetch(number)
        url = self.server.admit(key, asked, inside=True, desk=desk, fetch=fetch)
        self.urls.append(url)
        places, model = (self.folder, self.code, self.store), {"url": url, "key": key}
        told = job(self.order, self.scenario, number, *places, model)
        patience = CALL_LIMIT_S if self.order.provider is None else HARD_LIMIT_S
        return Process(number, told, launcher, self.recorder, patience)
