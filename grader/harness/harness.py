"""One warm harness: a launcher, the fakes and a scratch folder, for many runs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from grader.fakes.model_server import ModelServer
from grader.harness import canary, tiers, tree
from grader.harness.databases import Databases
from grader.harness.first import FirstImport
from grader.harness.journal import Journal, Recorder
from grader.harness.launch import GraderBroke, Launcher, Place
from grader.harness.laying import lay_out
from grader.harness.limits import (
    DISK_NEEDED_B,
    MIB,
    SCRATCH_FILES_LIMIT,
    SCRATCH_LIMIT_B,
)
from grader.harness.order import Order, empty_start
from grader.harness.preloaded import PRELOAD
from grader.harness.process import SubmissionBroken
from grader.harness.stale import RUN, remove_stale
from grader.harness.supervisor import Supervisor
from grader.locked import KEPT, make
from grader.sandbox import folders, mounts
from grader.vocabulary import History, Observation, Run, Scenario, draw


class Harness:
    """Runs scenarios; an async context manager that leaves nothing behind."""

    def __init__(
        self, launcher: Launcher, preload: Sequence[str] = PRELOAD, folder: str = ""
    ) -> None:
        self.launcher, self.preload = launcher, preload
        self._parent = Path(folder or tempfile.gettempdir())
        self.databases = Databases(folder)
        self._one_at_a_time = asyncio.Lock()
        self._runs = 0

    async def __aenter__(self) -> Harness:
        remove_stale(self._parent, RUN)
        remove_stale(Path(tempfile.gettempdir()), KEPT)
        self.folder, self._lock = make(self._parent, RUN)
        self.server = ModelServer()
        self.place = Place(self.folder, 0)
        try:
            await self.server.__aenter__()
            self.place = Place(self.folder, self.server.port)
            for each in (self.place.scratch, self.place.sockets):
                each.mkdir()
            mounts.limit(self.place.scratch, SCRATCH_LIMIT_B, SCRATCH_FILES_LIMIT)
            # Who knows a socket's name may connect; nobody else can see it.
            self.place.sockets.chmod(0o711)
            self.place.scratch.chmod(0o755)
            await self.launcher.open(self.place, self.preload)
            self.server.stand_behind(self.launcher.origin, self.place.sockets)
            self.tier, self.got_through = await canary.certify(
                self.launcher, self.place
            )
        except BaseException:
            self._remove()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.launcher.close()
        await self.databases.close()
        await self.server.__aexit__(kind, raised, trace)
        self._remove()
        if self._lock is not None:
            os.close(self._lock)

    def _remove(self) -> None:
        mounts.release(str(self.place.scratch))
        folders.remove(self.folder)

    @property
    def tier_name(self) -> str:
        """What stands around the processes, as the canary found it."""
        return tiers.NAMES[self.tier]

    @property
    def _journal(self) -> Path:
        return self.folder / "history.jsonl"  # where no submission sees it

    async def run(
        self, order: Order, names: Iterable[str] = (), keep: Path | None = None
    ) -> History:
        """Run the named scenarios, or all, at the same time; return their history.

        `keep` is where the journal is written; without it, it goes with the run.

        Raises:
            SubmissionBroken: the submission cannot be run at all.
            GraderBroke: the machine or the grader cannot run anything.
        """
        async with self._one_at_a_time:
            self._runs += 1
            folder = self.place.scratch / f"run-{self._runs}"
            try:
                return await self._run(order, set(names), folder, keep)
            except SubmissionBroken:
                # A forkserver that has ended has taken its processes along, which
                # then is what broke: this raises GraderBroke.
                await self.launcher.sweep(everything=False)
                raise
            except OSError as problem:
                raise GraderBroke(f"the machine refused: {problem}") from problem
            finally:
                await asyncio.shield(self._clear(folder))
                self._journal.unlink(missing_ok=True)

    async def _run(
        self, order: Order, names: set[str], folder: Path, keep: Path | None
    ) -> History:
        free = shutil.disk_usage(self.folder).free
        if free < DISK_NEEDED_B:
            raise GraderBroke(
                f"expected {DISK_NEEDED_B // MIB} MiB free in {self._parent}, "
                f"found {free // MIB} MiB"
            )
        code = folder / "code"
        code.mkdir(parents=True)
        lay_out(order.text, code)
        journal = Journal(
            keep or self._journal, order.stem, order.seed, order.processes
        )
        chosen = [
            s for n, s in order.exercise.scenarios.items() if not names or n in names
        ]
        first = FirstImport(any(empty_start(scenario) is None for scenario in chosen))
        tasks = {
            scenario.name: asyncio.create_task(
                self._scenario(
                    order, scenario, folder / scenario.name, code, journal, first
                )
            )
            for scenario in chosen
        }
        started = sum(
            max(order.processes, scenario.process_count) for scenario in chosen
        )
        watch = asyncio.create_task(
            tree.watch(self.launcher, self.databases, started, folder)
        )
        try:
            await _first_failure([watch, *tasks.values()])
        finally:
            for task in [watch, *tasks.values()]:
                task.cancel()
            await asyncio.gather(watch, *tasks.values(), return_exceptions=True)
            journal.close()
        if not self.launcher.is_alive():  # what its processes replied is void
            raise GraderBroke("the forkserver ended during the run")
        self._see_to_the_model()
        runs = {name: task.result() for name, task in tasks.items()}
        if any(run.broken for run in runs.values()):
            # It may have been a forkserver that is just ending and takes the folder
            # along: this waits for its answer, and raises GraderBroke.
            await self.launcher.sweep(everything=False)
        return History(order.stem, order.seed, order.processes, runs)

    async def _scenario(
        self,
        order: Order,
        scenario: Scenario,
        folder: Path,
        code: Path,
        journal: Journal,
        first: FirstImport,
    ) -> Run:
        recorder = Recorder(journal, scenario, draw(scenario, order.seed))
        prepared = order.exercise.prepared and empty_start(scenario) is None
        made = self.databases.store(order.kind, folder, prepared, self.place.sockets)
        tools = (code, self.launcher, self.server, first)
        try:
            async with made as store:
                one = Supervisor(order, recorder, folder, *tools, store, self.folder)
                await one.run()
        except (SubmissionBroken, GraderBroke, OSError):
            raise
        except Exception:  # our defect: said in the verdict, and never a zero
            return recorder.run(traceback.format_exc(limit=-4))
        if recorder.full:  # what is not in it might have failed a check, or passed it
            passed = {"what": "what was seen", "limit": recorder.full, "found": "more"}
            raise SubmissionBroken(Observation(1, "limit", None, 0.0, passed))
        return recorder.run()

    def _see_to_the_model(self) -> None:
        broken, self.server.broken = self.server.broken, None
        if broken is not None:  # a reply that came of our defect is no evidence
            lines = traceback.format_exception(broken, limit=-4)
            raise GraderBroke(f"the model server broke: {''.join(lines)}")

    async def _clear(self, folder: Path) -> None:
        with contextlib.suppress(GraderBroke):
            await self.launcher.sweep(everything=True)
        folders.remove(folder)


async def _first_failure(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Wait for all but the first, which never ends well; raise the first failure."""
    watch, *others = tasks
    waiting: set[asyncio.Task[Any]] = set(others)
    while waiting:
        done, _ = await asyncio.wait(
            {watch, *waiting}, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
        waiting -= done
