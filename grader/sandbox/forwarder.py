"""Serves loopback inside a sandbox for code that knows only TCP.

Each process was given a base URL with a token in its path, and outside, behind a unix
socket of that name in a folder that nobody in here can list, somebody who serves that
process alone. This copies bytes between the two, and reads the token only.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re

TOKEN = re.compile(rb"^[A-Z]+ (?:http://[^/ ]+)?/([\w-]{16,64})/")
HEAD_LIMIT_B = 256
PART_B = 64 * 1024


async def forward() -> asyncio.Server:
    """Listen on a port of loopback; the sockets are in the working folder."""

    async def connected(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = b""
            while (token := TOKEN.match(head)) is None and len(head) < HEAD_LIMIT_B:
                part = await reader.read(PART_B)
                if not part:
                    break
                head += part
            if token is not None:
                outside = await asyncio.open_unix_connection(token[1].decode())
                await _join((reader, writer), outside, head)
        writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", 0, backlog=512)


async def _join(
    inside: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    outside: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    head: bytes,
) -> None:
    outside[1].write(head)
    # Whichever side ends first ends both: nobody here half-closes a connection.
    copies = [
        asyncio.ensure_future(_copy(inside[0], outside[1])),
        asyncio.ensure_future(_copy(outside[0], inside[1])),
    ]
    try:
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for copy in copies:
            copy.cancel()
        outside[1].close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await source.read(PART_B):
            target.write(part)
            await target.drain()


def serve(folder: str, ready: int) -> None:
    """Forward to the sockets in a folder until the sandbox ends.

    The port is written to the descriptor `ready`.
    """
    os.chdir(folder)  # a path of a socket is short, wherever the folder is

    async def run() -> None:
        server = await forward()
        os.write(ready, str(server.sockets[0].getsockname()[1]).encode())
        os.close(ready)
        await server.serve_forever()

    asyncio.run(run())
