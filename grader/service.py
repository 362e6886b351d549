"""A harness in a process of its own, beside the notebook's kernel.

What runs in a kernel cannot change, block or crash what runs here. The service reads
one JSON request a line from standard input, and ends with everything that it started
when that input ends or its parent is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import secrets
import socket
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from grader import catalog, runner
from grader.fakes.addresses import addresses
from grader.fakes.answers import Answer
from grader.fakes.ledger import Ledger, desk
from grader.fakes.persona import Script
from grader.fakes.upstream import Profiles, fetch
from grader.harness import checkpoints
from grader.harness.harness import Harness
from grader.harness.launch import GraderBroke
from grader.harness.launchers import best_launcher, shared
from grader.harness.order import Provider
from grader.harness.preloaded import Preloaded
from grader.harness.process import SubmissionBroken
from grader.sandbox import mounts
from grader.vocabulary import Drawn, draw
from grader.vocabulary.exercise import POSTGRES
from grader.vocabulary.scenario import Says

PARENT_PERIOD_S = 1.0
REQUEST_LIMIT_B = 16 * 1024 * 1024


class Service:
    """Obeys requests over one harness; a request can be cancelled by its id."""

    def __init__(self, stack: contextlib.AsyncExitStack, preloaded: Preloaded) -> None:
        self._stack = stack  # which ends the harness
        self._preloaded = preloaded
        self._is_new = False
        self._running: dict[int, asyncio.Task[None]] = {}

    async def open(self) -> int:
        """Start a harness, and return the process that its submissions come from."""
        made = Harness(best_launcher(self._preloaded))
        self.harness = await self._stack.enter_async_context(made)
        self._is_new = True
        return self.harness.launcher.root_pid()

    async def serve(self, reader: asyncio.StreamReader) -> None:
        """Obey until the input ends."""
        while line := await reader.readline():
            request = json.loads(line)
            if request["do"] == "cancel":
                task = self._running.get(request["id"])
                if task is not None:
                    task.cancel()
                else:  # it was answered already, but whoever asked has missed that
                    say({"id": request["id"], "cancelled": True})
            else:
                task = asyncio.create_task(self._answer(request))
                self._running[request["id"]] = task

    async def _answer(self, request: Mapping[str, Any]) -> None:
        verbs = {
            "check": self._check,
            "observe": self._observe,
            "playground": self._playground,
            "fresh": self._fresh,
        }
        try:
            self._is_new &= request["do"] == "fresh"
            answer = await verbs[request["do"]](request)
        except asyncio.CancelledError:
            answer = {"cancelled": True}
        except SubmissionBroken as broken:
            problem, help = runner.explain(broken.seen)
            help = catalog.load(request["stem"]).advised(problem) or help
            answer = {"problem": problem, "help": help}
        except (GraderBroke, LookupError) as broken:
            answer = {"error": str(broken)}
        except Exception:  # our defect, which must not leave the kernel waiting
            answer = {"error": traceback.format_exc(limit=-4)}
        self._running.pop(request["id"], None)
        say({"id": request["id"], **answer})

    async def _fresh(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Have what follows run in a harness that has run nothing before."""
        if not self._is_new:
            await self._stack.aclose()
            await self.open()
        return {"ready": self.harness.launcher.root_pid()}

    async def _check(self, request: Mapping[str, Any]) -> dict[str, Any]:
        stem = request["stem"]
        outcome = await runner.check(
            self.harness,
            stem,
            catalog.load(stem),
            request["text"],
            request["seed"],
            request["processes"],
            database=request.get("database", ""),
        )
        history = outcome.history
        return {
            "verdict": outcome.verdict.to_json(),
            "history": None if history is None else list(history.to_lines()),
        }

    async def _observe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        exercise = catalog.load(request["stem"])
        unknown = [n for n in request["scenarios"] if n not in exercise.scenarios]
        if unknown:
            known = ", ".join(exercise.scenarios)
            raise LookupError(f"expected a scenario ({known}), found {unknown[0]!r}")
        provider = request["provider"]
        history = await runner.observe(
            self.harness,
            request["stem"],
            exercise,
            request["text"],
            request["scenarios"],
            request["seed"],
            None if provider is None else Provider(**provider),
            request.get("database", ""),
        )
        return {"history": list(history.to_lines())}

    async def _playground(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return an environment in which a submission's cell can run in the kernel."""
        exercise = catalog.load(request["stem"])
        scenarios = exercise.scenarios.values()
        seed = runner.new_seed()
        words: dict[str, str] = {}
        for scenario in scenarios:
            words.update(draw(scenario, seed).values)
        script = Script(Drawn(words), random.Random())
        for scenario in scenarios:
            for step in scenario.steps:
                if isinstance(step, Says):
                    script.apply(step)

        async def asked(body: Mapping[str, Any]) -> Answer:
            return script.answer(body)

        key = "sk-" + secrets.token_hex(16)
        folder = self.harness.folder / f"playground-{secrets.token_hex(4)}"
        folder.mkdir()
        checkpoints.create(folder / "checkpoints.db")
        pays = desk(Ledger(random.Random()))
        profiles = fetch(Profiles(random.Random()))
        url = self.harness.server.admit(key, asked, desk=pays, fetch=profiles)
        environment = addresses(url, key)
        environment["CHECKPOINT_DB"] = str(folder / "checkpoints.db")
        if exercise.database == POSTGRES:
            # Without PostgreSQL the cell says what is missing, and a check says why.
            with contextlib.suppress(GraderBroke):
                made = await self.harness.databases.create(exercise.prepared)
                environment["DATABASE_URL"] = made.url
        return {"environment": environment}


def say(message: Mapping[str, Any]) -> None:
    """Write one line to whoever started the service."""
    print(json.dumps(message), flush=True)


async def _orphaned() -> None:
    """Return when the parent is gone, even if a child of it holds the pipe open."""
    parent = os.getppid()
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    while os.getppid() == parent:
        await asyncio.wait({never}, timeout=PARENT_PERIOD_S)


async def main() -> None:
    """Run as `python -m grader.service [FD]`, where FD is what a zygote obeys.

    The first line out says that it is ready.
    """
    mounts.own()
    given = [socket.socket(fileno=int(fd)) for fd in sys.argv[1:]]
    reader = asyncio.StreamReader(limit=REQUEST_LIMIT_B)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    preloaded = shared(*given)
    async with contextlib.AsyncExitStack() as stack:
        service = Service(stack, preloaded)
        say({"id": 0, "ready": await service.open()})
        ends = [
            asyncio.create_task(service.serve(reader)),
            asyncio.create_task(_orphaned()),
        ]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    preloaded.close()


if __name__ == "__main__":
    asyncio.run(main())
