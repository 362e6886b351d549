"""The supervisor's line to one forkserver: orders there, answers and ends back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from grader.harness import pids
from grader.harness.launch import GraderBroke, Job, Launched
from grader.harness.limits import OBEY_LIMIT_S, PRELOAD_LIMIT_S
from grader.harness.patience import OutOfPatience, within


class Line:
    """Orders to one forkserver, one at a time, and what becomes of its workers.

    Args:
        control: our end of a stream of JSON lines and sockets.
        end: ends the forkserver, which does not answer any more.
        gone: is awaited when the forkserver has ended, before anybody is told.
    """

    def __init__(
        self,
        control: socket.socket,
        end: Callable[[], None],
        gone: Callable[[], Awaitable[None]],
    ) -> None:
        self._control, self._end, self._gone = control, end, gone
        self._order = asyncio.Lock()
        self.started: set[int] = set()
        self._running: dict[int, asyncio.Future[int]] = {}
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked, self.root = 0, -1
        self._doubt: asyncio.Task[None] | None = None

    async def ready(self) -> dict[str, Any]:
        """Return what it says once its libraries are imported.

        Raises:
            TimeoutError, ValueError: it did not get so far.
        """
        dup = self._control.dup()
        self._reader, self._writer = await asyncio.open_connection(sock=dup)
        line = await asyncio.wait_for(self._reader.readline(), PRELOAD_LIMIT_S)
        said: dict[str, Any] = json.loads(line)
        return said

    def listen(self, root: int) -> None:
        """Hear what it says from now on; `root` is this machine's number for it."""
        self.root = root
        self._listener = asyncio.create_task(self._listen())

    async def start(self, job: Job) -> Launched:
        """Fork a worker; raises `GraderBroke` when the forkserver is gone."""
        ours, theirs = socket.socketpair()
        with theirs:
            forked = await self.order({"do": "fork", "ours": job.ours}, theirs)
        reader, writer = await asyncio.open_connection(sock=ours, limit=job.limit_b)
        # Not by the forkserver, whose memory all have that it forks later.
        writer.write(json.dumps(asdict(job)).encode() + b"\n")
        pid = forked["forked"]
        host_pid = pids.child_on_host(pid, self.root)
        self.started.add(host_pid)
        return Launched(pid, reader, writer, forked["end"], host_pid)

    def kill(self, pid: int) -> None:
        """End a worker and its process group, as `kill -9` does."""
        with contextlib.suppress(OSError):
            self._send({"do": "kill", "pid": pid}, [])
        asyncio.get_running_loop().call_later(OBEY_LIMIT_S, self._insist, pid)

    async def sweep(self, everything: bool) -> int:
        """End orphans, with `everything` all workers; return how many would not end."""
        said = await self.order({"do": "sweep", "everything": everything})
        if everything:
            self.started.clear()
        return int(said["swept"])

    async def order(
        self, order: dict[str, Any], channel: socket.socket | None = None
    ) -> dict[str, Any]:
        """Return its answer; a channel is for whom it forks."""
        async with self._order:
            fds = [] if channel is None else [channel.fileno()]
            return await self._obeyed(self._ask(order, fds))

    def runs(self, pid: int) -> bool:
        """Whether this is the number of one of its workers."""
        return pid in self._running

    def is_alive(self) -> bool:
        """Whether the forkserver still obeys."""
        return not self._listener.done()

    def hang_up(self) -> None:
        """Close our end, at which the forkserver ends all that it started."""
        self._control.close()
        self._writer.close()

    async def ended(self) -> None:
        """Wait until whoever still waits has been told that nothing will come."""
        await self._listener

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
            self._end()  # without it all its workers end
            raise GraderBroke(f"the forkserver did not answer: {limit}") from None
        return waited

    def _send(self, order: dict[str, Any], fds: list[int]) -> None:
        data = json.dumps(order).encode() + b"\n"
        sent = socket.send_fds(self._control, [data], fds)
        if sent < len(data):
            self._control.sendall(data[sent:])

    async def _listen(self) -> None:
        with contextlib.suppress(ConnectionError):  # killed, with an order unread
            while line := await self._reader.readline():
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
        await self._gone()
        problem = GraderBroke("the forkserver has ended")
        for end in self._running.values():  # it ends its workers when it ends
            if not end.done():
                end.set_result(-signal.SIGKILL)
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(problem)
