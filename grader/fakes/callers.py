"""Who speaks through one base URL, through which socket, and for how long."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request

from grader.fakes.answers import Answer
from grader.fakes.ledger import Desk
from grader.fakes.upstream import Fetch

BACKLOG = 512
BOUND = "new"  # the name of a socket until it has its own
Asked = Callable[[Mapping[str, Any]], Awaitable[Answer]]
T = TypeVar("T")


@dataclass(slots=True)
class Caller:
    """One caller: its key, who answers it, and its requests without an answer.

    `desk` is where it pays, and `fetch` whom it asks for profiles, if it does.

    In a sandbox it has a socket of its own, which is an identity that cannot be
    forged: what comes through another's is nobody's.
    """

    key: str
    asked: Asked
    desk: Desk | None = None
    fetch: Fetch | None = None
    pending: set[asyncio.Future[Any]] = field(default_factory=set)
    _path: Path | None = None
    _serving: asyncio.Future[asyncio.Server] | None = None

    def listen(
        self,
        path: Path,
        connect: Callable[[], asyncio.Protocol],
        failed: Callable[[asyncio.Future[asyncio.Server]], None],
    ) -> None:
        """Serve this caller at a socket, from now on.

        `failed` is called with what has come of it: a socket that nobody listens at
        would look like a submission that waits for ever.
        """
        listener = socket.socket(socket.AF_UNIX)
        folder = os.open(path.parent, os.O_RDONLY)
        try:  # a path of a socket is short; this one is, wherever the folder is
            # What it is bound to is seen by all in the network namespace of a client.
            listener.bind(f"/proc/self/fd/{folder}/{BOUND}")
            os.rename(BOUND, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(folder)
        path.chmod(0o666)  # whoever knows its name
        listener.listen(BACKLOG)  # who connects before the loop goes on waits
        # From 3.13 on asyncio would look for it by the name that it was bound to.
        how = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}
        loop: Any = asyncio.get_running_loop()
        serving = loop.create_unix_server(connect, sock=listener, **how)
        self._path, self._serving = path, asyncio.ensure_future(serving)
        self._serving.add_done_callback(failed)

    def is_at(self, came_by: str, token: str) -> bool:
        """Whether a request for `token` may come by the socket of `came_by`, or ""."""
        return came_by == token if self._serving is not None else not came_by

    def close(self) -> None:
        """Listen no more."""
        if self._serving is not None and self._path is not None:
            self._serving.add_done_callback(_closed)
            self._path.unlink(missing_ok=True)


def _closed(serving: asyncio.Future[asyncio.Server]) -> None:
    if not serving.cancelled() and serving.exception() is None:
        serving.result().close()


async def attend(caller: Caller, work: Awaitable[T], request: Request) -> T | None:
    """Await what a request is answered by; None when its client, or caller, is gone."""
    asked = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(request))
    caller.pending.add(asked)
    try:
        await asyncio.wait({asked, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        caller.pending.discard(asked)
        asked.cancel()
        gone.cancel()
        await asyncio.wait({asked, gone})
    return None if asked.cancelled() else asked.result()


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
