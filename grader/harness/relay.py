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
from collections.abc import Callable
from pathlib import Path

from grader.harness.launch import GraderBroke
from grader.harness.wire import Wires, peer

NAME = ".s.PGSQL.5432"  # what a client of PostgreSQL looks for in a folder
CHUNK_B = 64 * 1024
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
        socket = self.folder / NAME
        self._server = await asyncio.start_unix_server(self._serve, socket)
        socket.chmod(0o666)  # a password is asked for
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        wire = self.wires.opened(peer(writer.get_extra_info("socket")))
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                there, back = await self._connect()
                ways = [(reader, back, wire.sent), (there, writer, wire.received)]
                passing = [asyncio.create_task(_pass_on(*way)) for way in ways]
                try:
                    # Either end ends both, as it does without anybody between them.
                    await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for one in passing:
                        one.cancel()
                    await asyncio.gather(*passing, return_exceptions=True)
                    back.close()
        finally:
            self.wires.closed(wire)
            writer.close()
            self._tasks.discard(task)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._host.startswith("/"):
            path = Path(self._host, f".s.PGSQL.{self._port}")
            return await asyncio.open_unix_connection(path)
        return await asyncio.open_connection(self._host, self._port)


async def _pass_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    note: Callable[[bytes], None],
) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK_B):
            note(data)
            writer.write(data)
            await writer.drain()
