"""Workers forked from one preloaded process, which imported nothing of theirs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from grader.harness import pids, tiers
from grader.harness.launch import GraderBroke, Job, Launched, Place
from grader.harness.limits import OBEY_LIMIT_S, PRELOAD_LIMIT_S, SWEEP_LIMIT_S
from grader.harness.patience import OutOfPatience, within
from grader.harness.strays import end_strays


class ForkLauncher:
    """Workers forked from one preloaded process, which imported nothing of theirs.

    `tier` is what stands around them; see `tiers`.
    """

    starting_s = 0.0

    def __init__(self, tier: int = tiers.NOT_ISOLATED) -> None:
        self.preload_problems: Mapping[str, str] = {}
        self.tier, self.origin = tier, ""
        self._around = tiers.Tier(tier)
        self.owner = self._around.owner
        self._order = asyncio.Lock()
        self._running: dict[int, asyncio.Future[int]] = {}
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0
        self._closing = False
        self._doubt: asyncio.Task[None] | None = None

    async def open(self, place: Place, modules: Sequence[str]) -> None:
        """Start the forkserver and wait until its libraries are imported."""
        self._control, theirs = socket.socketpair()
        self._folder = str(place.folder)
        settings = json.dumps(self._around.settings(place))
        log = place.folder / "forkserver.log"
        with theirs, log.open("wb") as output:
            fd = theirs.fileno()
            arguments = [str(fd), self._around.removed(place), settings, *modules]
            self._process = await self._around.start(arguments, place, fd, output)
        reader, self._writer = await asyncio.open_connection(sock=self._control.dup())
        try:
            line = await asyncio.wait_for(reader.readline(), PRELOAD_LIMIT_S)
            ready = json.loads(line)
            self.preload_problems = ready["problems"]
            if ready["port"]:
                self.origin = f"http://127.0.0.1:{ready['port']}"
            self._root = pids.on_host(ready["ready"], self._process.pid)
        except BaseException as problem:
            self._control.close()
            self._writer.close()
            self._around.let_go()
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            if not isinstance(problem, TimeoutError | ValueError):
                raise
            tail = log.read_text(errors="replace")[-500:]
            raise GraderBroke(f"the forkserver did not start: {tail}") from problem
        # Nothing else was forked so far: this is the forwarder, where there is one.
        self._between = pids.children(self._root)
        self._listener = asyncio.create_task(self._listen(reader))

    async def start(self, job: Job) -> Launched:
        """Fork a worker; raises `GraderBroke` when the forkserver is gone."""
        ours, theirs = socket.socketpair()
        order = {"do": "fork", **asdict(job)}
        async with self._order:
            with theirs:
                answer = self._ask(order, [theirs.fileno()])
            forked = await self._obeyed(answer)
            reader, writer = await asyncio.open_connection(sock=ours, limit=job.limit_b)
        pid = forked["forked"]
        host_pid = pids.child_on_host(pid, self._root)
        return Launched(pid, reader, writer, forked["end"], host_pid)

    def kill(self, pid: int) -> None:
        """End a worker and its process group, as `kill -9` does."""
        with contextlib.suppress(OSError):
            self._send({"do": "kill", "pid": pid}, [])
        asyncio.get_running_loop().call_later(OBEY_LIMIT_S, self._insist, pid)

    async def sweep(self, everything: bool) -> int:
        """End orphans, with `everything` all workers; return how many would not end."""
        async with self._order:
            answer = self._ask({"do": "sweep", "everything": everything}, [])
            return int((await self._obeyed(answer))["swept"])

    def root_pid(self) -> int:
        """Return the process all workers descend from."""
        return self._root

    def between(self) -> Sequence[int]:
        """Return the processes that pass bytes on from workers to the fakes."""
        return self._between

    def is_alive(self) -> bool:
        """Whether the forkserver still obeys."""
        return not self._listener.done()

    async def close(self) -> None:
        """End everything: the forkserver does it when its channel ends."""
        self._closing = True
        self._control.close()
        self._writer.close()
        self._around.let_go()
        try:
            await asyncio.wait_for(self._process.wait(), 2 * SWEEP_LIMIT_S)
        except TimeoutError:
            self._process.kill()
            await asyncio.to_thread(end_strays, self._folder)
            await self._process.wait()
        await self._listener  # tells whoever still waits that nothing will come

    def _ask(self, order: dict[str, Any], fds: list[int]) -> asyncio.Future[Any]:
        self._asked += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[self._asked] = answer
        try:
            self._send({**order, "number": self._asked}, fds)
        except OSError as problem:
            raise GraderBroke("the forkserver has ended") from problem
        return answer

    def _insist(self, pid: int) -> None:
        # A forkserver that has not killed may have been stopped by a submission, or
        # this loop may have been: only the former does not answer.
        if pid in self._running and (self._doubt is None or self._doubt.done()):
            self._doubt = asyncio.create_task(self._is_there())

    async def _is_there(self) -> None:
        with contextlib.suppress(GraderBroke):
            await self._obeyed(self._ask({"do": "answer"}, []))

    async def _obeyed(self, answer: asyncio.Future[Any]) -> dict[str, Any]:
        """Wait for an answer; a submission may have stopped the forkserver."""
        try:
            waited: dict[str, Any] = await within(answer, OBEY_LIMIT_S)
        except OutOfPatience as limit:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()  # without it all its workers end
            raise GraderBroke(f"the forkserver did not answer: {limit}") from None
        return waited

    def _send(self, order: dict[str, Any], fds: list[int]) -> None:
        data = json.dumps(order).encode() + b"\n"
        sent = socket.send_fds(self._control, [data], fds)
        if sent < len(data):
            self._control.sendall(data[sent:])

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):  # killed, with an order unread
            while line := await reader.readline():
                message = json.loads(line)
                if "forked" in message:  # it may have ended before anybody asks
                    message["end"] = asyncio.Future()
                    self._running[message["forked"]] = message["end"]
                if "ended" not in message:
                    answer = self._answers.pop(message["number"])
                    if not answer.done():  # whoever asked may have been cancelled
                        answer.set_result(message)
                    continue
                end = self._running.pop(message["ended"])
                if not end.done():
                    end.set_result(message["code"])
        if not self._closing:
            await asyncio.to_thread(end_strays, self._folder)
        problem = GraderBroke("the forkserver has ended")
        for end in self._running.values():  # it ends its workers when it ends
            if not end.done():
                end.set_result(-signal.SIGKILL)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(problem)
