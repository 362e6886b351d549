"""The untrusted side of a server: a submission's application under the real uvicorn."""

from __future__ import annotations

import contextlib
import gc
import inspect
import json
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, BinaryIO, NoReturn

import uvicorn

# Longer than any run: a server that closes an idle connection while the client sends
# its next request would fail that request by luck.
KEEP_ALIVE_S = 3600
REQUEST_ID = b"x-request-id"
CLOSE = (b"connection", b"close")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Tell = Callable[[Mapping[str, Any]], None]


class Witness:
    """The application, and what it raises told before the response goes out.

    The log has the exception too, but not of which request, and only afterwards.
    """

    def __init__(
        self,
        application: Any,
        tell: Tell,
        describe: Callable[[BaseException], dict[str, Any]],
    ) -> None:
        self.application, self.tell, self.describe = application, tell, describe
        self.lifespan_raised: BaseException | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            try:
                await self.application(scope, receive, send)
            except BaseException as raised:
                self.lifespan_raised = raised
                raise
            return
        failing: list[Message] = []
        statuses: list[int] = []

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            if statuses and statuses[0] >= 500:
                failing.append(message)
            else:
                await send(message)

        seen: dict[str, Any] = {}
        try:
            await self.application(scope, receive, sent)
        except Exception as raised:
            seen = self.describe(raised)
            for start in failing[:1]:  # uvicorn hangs up after this, so it is said
                start["headers"] = [*start.get("headers", []), CLOSE]
            raise
        finally:
            if seen or not statuses or failing:
                number = dict(scope["headers"]).get(REQUEST_ID, b"")
                self.tell({"kind": "raised", "id": number.decode("latin-1"), **seen})
            for message in failing:
                await send(message)


class Server(uvicorn.Server):
    """uvicorn's server, which says when it can be asked."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Run the application's lifespan and listen, as uvicorn does; then say so."""
        await super().startup(sockets)
        self._ready()


def breach(module: Any, name: str) -> str:
    """Return what is wrong with the application that a module should define."""
    expected = f"expected an ASGI application named {name!r}"
    found = getattr(module, name, None)
    if found is None:
        return f"{expected}, found nothing of that name"
    kind = type(found).__name__
    if not callable(found):
        return f"{expected}, found {name!r} of type {kind}"
    with contextlib.suppress(ValueError):  # a signature that cannot be read
        try:
            inspect.signature(found).bind("scope", "receive", "send")
        except TypeError:
            return f"{expected}, found a {kind} that does not take scope, receive, send"
    return ""


def serve(
    application: Any,
    address: str,
    reader: BinaryIO,
    tell: Tell,
    describe: Callable[[BaseException], dict[str, Any]],
) -> NoReturn:
    """Serve until told to stop, and end the process as a stopped server ends.

    `address` is the path of a socket, relative to the working folder; where it is
    empty, the server chooses a port of loopback and tells it when it is ready.
    """
    listener, port = _listen(address)
    witness = Witness(application, tell, describe)
    config = uvicorn.Config(
        witness,
        ws="none",
        log_level="warning",
        access_log=False,
        use_colors=False,
        forwarded_allow_ips="*",  # a socket in a folder has no client address itself
        timeout_keep_alive=KEEP_ALIVE_S,
    )
    server = Server(config, lambda: tell({"kind": "ready", "port": port}))

    def obey() -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in reader:
                if json.loads(line).get("stop"):
                    break
        server.should_exit = True

    threading.Thread(target=obey, daemon=True).start()
    try:
        server.run(sockets=[listener])
    except SystemExit as ended:
        if not server.started and witness.lifespan_raised is not None:
            seen = describe(witness.lifespan_raised)
            message = f"{seen['error']}: {seen['message']}"
            startup = {"kind": "broken", "error": "startup", "message": message}
            tell({**seen, **startup})
        else:
            tell({"kind": "broken", **describe(ended)})
    # What nobody refers to any more may still have a last word for the log. OS threads
    # are not waited for: a uvicorn that gets SIGTERM does not do it either.
    gc.collect()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def rehearse() -> None:
    """Import what uvicorn imports when it starts, so that forked workers have it."""
    config = uvicorn.Config(
        Witness(None, print, lambda _: {}), ws="none", log_config=None
    )
    config.load()
    config.get_loop_factory()


def _listen(address: str) -> tuple[socket.socket, int | None]:
    if address:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(address)  # of the process that had this number before a restart
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0)  # nginx is another user; who may come here, its folder says
        listener.bind(address)
        os.umask(mask)
        return listener, None
    # asyncio turns on TCP_NODELAY for sockets that name their protocol only.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    return listener, int(listener.getsockname()[1])
