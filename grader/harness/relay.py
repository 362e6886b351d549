"""Passes on what a submission says to a database, from a socket of the scenario's own.

A sandbox has no network and does not see the server's folder; it sees the folder of
sockets. So a server that is far away is reached like one that is near, and who knows
one socket has no way to another scenario's.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from pathlib import Path

from grader.fakes.callers import BOUND
from grader.harness.ends import End
from grader.harness.launch import GraderBroke
from grader.harness.wire import Wires, peer

NAME = ".s.PGSQL.5432"  # what a client of PostgreSQL looks for in a folder
PATH_LIMIT = 103  # bytes of the path of a unix socket, on macOS


class Relay:
    """Serves one folder until it is closed."""

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.folder, self._host, self._port = folder, host, port
        self.wires = Wires()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Relay:
        found = len(os.fsencode(self.folder / NAME))
        if found > PATH_LIMIT:
            raise GraderBroke(
                f"expected at most {PATH_LIMIT} bytes in the path of a socket, found "
                f"{found}: set TMPDIR to a folder with a shorter name"
            )
        self.folder.mkdir()
        self.folder.chmod(0o711)
        path, loop = self.folder / NAME, asyncio.get_running_loop()
        listener = socket.socket(socket.AF_UNIX)
        # What it is bound to is seen by all in the network namespace of a client.
        bound = self.folder.with_name(BOUND)
        listener.bind(str(bound))
        bound.rename(path).chmod(0o666)  # a password is asked for
        self._server = await loop.create_unix_server(
            lambda: End(self._begin), sock=listener
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _begin(self, client: End) -> None:
        client.transport.pause_reading()  # there is nobody to pass it on to yet
        task = asyncio.create_task(self._serve(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: client.close())

    async def _serve(self, client: End) -> None:
        wire = self.wires.opened(peer(client.transport.get_extra_info("socket")))
        server = End()
        client.join(server, wire.sent)
        server.join(client, wire.received)
        try:
            with contextlib.suppress(OSError):
                await self._connect(server)
                client.transport.resume_reading()
                # Either end ends both, as it does without anybody between them.
                ends = {client.lost, server.lost}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.wires.closed(wire)
            server.close()

    async def _connect(self, server: End) -> None:
        loop = asyncio.get_running_loop()
        if self._host.startswith("/"):
            path = Path(self._host, f".s.PGSQL.{self._port}")
            await loop.create_unix_connection(lambda: server, str(path))
        else:
            await loop.create_connection(lambda: server, self._host, self._port)
