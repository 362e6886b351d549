"""The supervisor's view of one process: start it, call it, end it, write it down."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.harness import logs
from grader.harness.border import parse, trouble
from grader.harness.journal import Recorder
from grader.harness.launch import Job, Launched, Launcher
from grader.harness.limits import (
    CALL_CPU_LIMIT_S,
    CALL_LIMIT_S,
    HANG_UP_LIMIT_S,
    HURRIED_LIMIT_S,
    IMPORT_LIMIT_S,
    STOP_LIMIT_S,
)
from grader.harness.patience import OutOfPatience, within
from grader.harness.web import Door, Web
from grader.harness.worker import TYPES
from grader.vocabulary import Observation
from grader.vocabulary.scenario import Call

MISSPOKE = "something wrote to the process's channel to the grader"


class SubmissionBroken(Exception):
    """The submission could not be run at all; carries the observation that shows it."""

    def __init__(self, seen: Observation) -> None:
        super().__init__(str(seen))
        self.seen = seen


@dataclass(slots=True)
class Process:
    """One numbered process of a scenario, through all its restarts."""

    number: int
    job: Job
    launcher: Launcher
    recorder: Recorder
    call_limit_s: float = CALL_LIMIT_S
    launched: Launched | None = None
    ready: bool = False
    killed: bool = False
    misspoke: bool = False  # something odd came over its channel
    web: Web | None = None  # of a process that is a server
    door: Door | None = None  # what stands before it, if anything
    held_s: Callable[[], float] = float  # how long it was held up on purpose so far
    _waiting: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _listener: asyncio.Task[None] | None = None

    async def start(self, restarted: bool = False) -> Observation | None:
        """Start the process; return what is wrong when it cannot import."""
        self.killed, self.misspoke, self._waiting = False, False, {}
        if self.launched is not None:
            self.launched.writer.close()
        self.launched = await self.launcher.start(self.job)
        pid, host_pid = self.launched.pid, self.launched.host_pid
        self.recorder.record("start", self.number, pid=pid, restarted=restarted)
        if self.web is not None:
            await self.web.close()
        starting_s = self.launcher.starting_s
        try:
            first = await within(
                self._read(self.launched),
                IMPORT_LIMIT_S + starting_s,
                [host_pid],
                CALL_CPU_LIMIT_S + starting_s,
                self.held_s,
            )
        except OutOfPatience as limit:
            self.kill()
            what = "importing it, or its lifespan," if self.job.application else ""
            message = f"{what or 'importing it'} did not end: {limit}"
            first = {"error": "hang", "message": message}
        if first is None:
            error, message = await self._ending(self.launched)
            first = {"error": error, "message": f"{message} while importing it"}
        if first.get("kind") == "ready":
            self.ready = True
            if self.job.application:
                port = _number(first.get("port"))
                self.web = Web(self.launched, self.job, port, self.kill, self.door)
            self._listener = asyncio.create_task(self._listen(self.launched))
            return None
        self.ready = False
        if first.get("kind") not in (None, "broken"):
            self.kill()
            first = {"error": "channel", "message": MISSPOKE}
        return self.recorder.record("broken", self.number, **trouble(first))

    async def call(self, number: int, call: Call, beside: bool = False) -> Observation:
        """Call a function and write down its reply."""
        args = [self.recorder.drawn.fill(arg) for arg in call.args]
        name = f"{call.function} {args.pop(0)}" if call.http else call.function
        head = {"id": number, "function": name}
        if self.launched is None or not self.ready:
            why = "it had ended before" if self.killed else "it is not running"
            return self.record_reply(head, {"error": "not_run", "message": why})
        self.recorder.record("call", self.number, args=args, **head)
        if call.http and self.web is not None:
            reply = await self.web.ask(number, name, *args, limit_s=self.call_limit_s)
            head |= {"status": reply["status"]} if "status" in reply else {}
            return self.record_reply(head, reply)
        order = {**head, "args": args, "beside": beside}
        return self.record_reply(head, await self._ask(self.launched, order))

    async def show_again(self, number: int, function: str) -> Observation:
        """Write down what a call was given and has returned, as it is now."""
        shown: dict[str, Any] = {"error": "not_run", "message": "it is not running"}
        if self.launched is not None and self.ready:
            shown = await self._ask(self.launched, {"id": -number, "again": number})
        found = {"value": shown["value"]} if "value" in shown else trouble(shown)
        head = {"id": number, "function": function, "args": shown.get("args")}
        return self.recorder.record("again", self.number, **head, **found)

    async def _ask(self, launched: Launched, order: dict[str, Any]) -> dict[str, Any]:
        answer: asyncio.Future[dict[str, Any]] = asyncio.Future()
        self._waiting[order["id"]] = answer
        with contextlib.suppress(ConnectionError):
            launched.writer.write(json.dumps(order).encode() + b"\n")
        limits = self.call_limit_s, [launched.host_pid], CALL_CPU_LIMIT_S
        try:
            return await within(answer, *limits, self.held_s)
        except OutOfPatience as limit:
            self.kill()
            return {"error": "hang", "message": str(limit)}

    def record_reply(self, head: dict[str, Any], reply: dict[str, Any]) -> Observation:
        """Write down a reply, of which only known keys are kept."""
        if "value" in reply:
            reply = self._as_promised(head["function"], reply)
        found = {"value": reply["value"]} if "value" in reply else trouble(reply)
        return self.recorder.record("reply", self.number, **head, **found)

    def hurry(self) -> None:
        """Have little patience from now on: this scenario has had its hang."""
        self.call_limit_s = min(self.call_limit_s, HURRIED_LIMIT_S)

    def kill(self) -> None:
        """End the process and its group with SIGKILL."""
        self.killed, self.ready = True, False
        if self.launched is not None:
            self.launcher.kill(self.launched.pid)

    def _as_promised(self, function: str, reply: dict[str, Any]) -> dict[str, Any]:
        # A worker looks at this too, but whatever runs in it may write to its channel.
        returns = {f["name"]: f["returns"] for f in self.job.functions}.get(function)
        wanted, found = TYPES.get(str(returns)), reply["value"]
        if wanted is None or isinstance(found, wanted):
            return reply
        message = f"{type(found).__name__}, expected {returns}"
        return {"error": "wrong_type", "message": message}

    async def gone(self) -> None:
        """Wait until a killed process is no more, so that it holds no lock."""
        if self.launched is not None:
            await self.launched.ended

    async def stop(self) -> None:
        """Ask it to end as a server does; kill it when it does not."""
        if self.launched is None:
            return
        self.ready = False
        with contextlib.suppress(ConnectionError):
            self.launched.writer.write(b'{"stop": true}\n')
        try:
            ended = asyncio.shield(self.launched.ended)
            await within(ended, STOP_LIMIT_S, [self.launched.host_pid])
        except OutOfPatience:
            self.recorder.record(
                "limit", self.number, what="stop", limit=f"{STOP_LIMIT_S:g} s", found=""
            )
            self.kill()
            await self.launched.ended

    async def _ending(self, launched: Launched) -> tuple[str, str]:
        """Say why a process's channel has ended, and see to it that it ends too."""
        if self.misspoke:
            return "channel", MISSPOKE
        try:
            ended, pids = asyncio.shield(launched.ended), self.launcher.roots()
            code = await within(ended, HANG_UP_LIMIT_S, [launched.host_pid, *pids])
        except OutOfPatience:
            self.kill()
            return "channel", "the process closed its channel to the grader"
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        return "exit", f"the process ended with {how}"

    async def close(self) -> None:
        """Write down what it printed, and stop listening."""
        logs.record(self.recorder, self.number, Path(self.job.log))
        if self.web is not None:
            await self.web.close()
        if self._listener is not None:
            self._listener.cancel()
        if self.launched is not None:
            self.launched.writer.close()

    async def _listen(self, launched: Launched) -> None:
        while (message := await self._read(launched)) is not None:
            if message.get("kind") == "raised" and self.web is not None:
                self.web.heard(message)
            answer = self._waiting.get(_number(message.get("id")))
            own = not self.killed  # afterwards it is another that has its channel
            if message.get("kind") == "reply" and own and answer and not answer.done():
                answer.set_result(message)
        error, why = "killed", "no reply came"
        if not self.killed:
            self.ready = False
            error, why = "died", (await self._ending(launched))[1]
            code = await launched.ended
            self.recorder.record(
                "exit", self.number, code=code, signal=-code if code < 0 else None
            )
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result({"error": error, "message": why})

    async def _read(self, launched: Launched) -> dict[str, Any] | None:
        """Return the next message, None at the end; anything odd ends the process."""
        try:
            line = await launched.reader.readline()
            if not line:
                return None
            message = parse(line)
            if isinstance(message, dict):
                return message
            found = "a message of another form"
        except (ValueError, ConnectionError) as problem:
            found = type(problem).__name__
        self.misspoke = True
        self.launcher.kill(launched.pid)
        self.recorder.record(
            "limit", self.number, what="protocol", limit="one JSON object", found=found
        )
        return None


def _number(value: Any) -> int:
    return value if isinstance(value, int) else -1
