"""The trusted side of a server: requests over connections that are kept alive."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from grader.harness.border import clean, parse
from grader.harness.launch import Job, Launched
from grader.harness.limits import (
    HANG_UP_LIMIT_S,
    RAISED_LIMIT_S,
    REQUESTS_LIMIT,
    RESPONSE_LIMIT_B,
    TEXT_LIMIT,
)
from grader.harness.patience import OutOfPatience, within

SOCKET = "server.sock"
SOCKET_PATH_LIMIT_B = 100  # the kernel's own is 104 on macOS, 108 on Linux
DESCRIPTORS = Path("/proc/self/fd")
SERVER_HEADER = "x-server"  # names the server that a request is for
PINNED = getattr(os, "O_PATH", 0) and os.O_PATH | os.O_NOFOLLOW
KILLED = 9  # SIGKILL, which Windows does not name
HEADERS = {
    "accept-encoding": "identity",  # a compressed body could be of any size
    "x-forwarded-for": "127.0.0.1",  # a unix socket has no client address of its own
}


@dataclass(frozen=True, slots=True)
class Door:
    """What stands before the servers: a socket in a folder, and the process behind it.

    It lets a request through to the server with the `number` in the request's header.
    """

    folder: str
    number: int
    pid: int


def address_in(folder: str) -> str:
    """Return the name of a server's socket in a folder, or "" where it cannot be."""
    fits = _fits(folder) or DESCRIPTORS.is_dir()
    return SOCKET if fits and hasattr(socket, "AF_UNIX") else ""


def _fits(folder: str) -> bool:
    return len(str(Path(folder, SOCKET)).encode()) <= SOCKET_PATH_LIMIT_B


def _held(folder: str, name: str) -> tuple[int, str]:
    """Return a descriptor and, by it, a short name of a server's socket.

    It is the socket itself where the kernel can hold on to that: a link in its place
    would lead who connects to any server of this machine, or to another process's.
    """
    with contextlib.suppress(OSError):
        if PINNED:
            pinned = os.open(Path(folder, name), PINNED)
            return pinned, str(DESCRIPTORS / str(pinned))
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    return opened, str(DESCRIPTORS / str(opened) / name)


class Web:
    """One client of one server process.

    Args:
        launched: the process.
        job: what it was told; its address is a socket in its working folder.
        port: of loopback, where it has no such socket.
        end: ends the process when it does not respond.
        door: what stands before it; its socket has the same name.
    """

    def __init__(
        self,
        launched: Launched,
        job: Job,
        port: int,
        end: Callable[[], None],
        door: Door | None = None,
    ) -> None:
        self._launched, self._end = launched, end
        self._pids = [launched.host_pid, *([] if door is None else [door.pid])]
        folder = job.cwd if door is None else door.folder
        path = str(Path(folder, job.address)) if job.address else None
        self._folder = -1
        # A door in front of the servers is ours, and its folder too.
        if path is not None and not (_fits(folder) and (door or not PINNED)):
            self._folder, path = _held(folder, job.address)
        limits = httpx.Limits(
            max_connections=REQUESTS_LIMIT,
            max_keepalive_connections=REQUESTS_LIMIT,
            keepalive_expiry=None,
        )
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=path, limits=limits, verify=False),
            base_url="http://localhost" if path else f"http://127.0.0.1:{port}",
            headers=HEADERS
            | ({} if door is None else {SERVER_HEADER: str(door.number)}),
            timeout=None,  # `within` has more patience with a crowded machine
            trust_env=False,
        )
        self._raised: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._left: set[int] = set()
        self._hung = ""

    def heard(self, message: dict[str, Any]) -> None:
        """Take note of what the server's process says that a request has raised."""
        raised = self._raised.get(str(message.get("id")))
        if raised is not None and not raised.done():
            raised.set_result(message)

    def hang_up(self, number: int) -> None:
        """Close the connection of a request that has no response yet."""
        asked = self._asked.get(number)
        if asked is not None and not asked.done():
            self._left.add(number)
            asked.cancel()

    async def ask(
        self, number: int, request: str, body: Any = None, *, limit_s: float
    ) -> dict[str, Any]:
        """Send one request; return the reply: status, and value or error, message.

        `request` is method and path, such as "POST /ask". No response within the
        limit ends the process; its processor time is that of all its requests.
        """
        asked = asyncio.ensure_future(self._answered(number, request, body))
        asked.add_done_callback(_noticed)
        self._asked[number] = asked
        try:
            return await within(asyncio.shield(asked), limit_s, self._pids)
        except asyncio.CancelledError:
            if number not in self._left:
                raise
            return {"error": "hung_up", "message": "its client did not wait"}
        except OutOfPatience as limit:
            self._hung = str(limit)
            self._end()
            # Its connection ends with it; to cancel it just then would confuse anyio.
            await asyncio.wait({asked}, timeout=HANG_UP_LIMIT_S)
        except httpx.HTTPError as problem:
            said = clean(f"{type(problem).__name__}: {problem}", TEXT_LIMIT)
        finally:
            asked.cancel()
        with contextlib.suppress(OutOfPatience):  # it may be known in a moment why
            ended = asyncio.shield(self._launched.ended)
            await within(ended, HANG_UP_LIMIT_S, self._pids)
        if self._hung:
            return {"error": "hang", "message": self._hung}
        if not self._launched.ended.done():
            return {"error": "disconnected", "message": said}
        killed = self._launched.ended.result() == -KILLED
        return {"error": "killed" if killed else "died", "message": said}

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    async def _answered(self, number: int, request: str, body: Any) -> dict[str, Any]:
        raised: asyncio.Future[dict[str, Any]] = asyncio.Future()
        self._raised[str(number)] = raised
        try:
            status, data = await self._exchange(number, request, body)
            if status >= 500:  # the process says so before the response goes out
                await asyncio.wait({raised}, timeout=RAISED_LIMIT_S)
        finally:
            del self._raised[str(number)]
        return {"status": status, **_reply(status, data, raised)}

    async def _exchange(
        self, number: int, request: str, body: Any
    ) -> tuple[int, bytes]:
        method, _, path = request.partition(" ")
        content = None if body is None else json.dumps(body).encode()
        headers = {"x-request-id": str(number), "content-type": "application/json"}
        data = bytearray()
        async with self._client.stream(
            method, path, content=content, headers=headers
        ) as response:
            async for part in response.aiter_raw():
                data += part
                if len(data) > RESPONSE_LIMIT_B:
                    break
        return response.status_code, bytes(data)


def _noticed(asked: asyncio.Future[Any]) -> None:
    if not asked.cancelled():
        asked.exception()  # which asyncio would report if nobody looked at it


def _reply(
    status: int, data: bytes, raised: asyncio.Future[dict[str, Any]]
) -> dict[str, Any]:
    text = clean(data[: 4 * TEXT_LIMIT].decode("utf-8", "replace"), TEXT_LIMIT)
    if status >= 300:
        seen = raised.result() if raised.done() else {}
        # A status that the submission's own handler has chosen is its answer.
        if "error" in seen and status == 500:
            return {key: seen.get(key) for key in ("error", "message", "line", "file")}
        return {"error": f"HTTP {status}", "message": text}
    if len(data) > RESPONSE_LIMIT_B:
        message = f"more than {RESPONSE_LIMIT_B} bytes"
        return {"error": "not_json", "message": message}
    try:
        return {"value": parse(data)}
    except ValueError as problem:
        message = f"{text[:100]!r}, which is not JSON: {problem}"
        return {"error": "not_json", "message": message}
