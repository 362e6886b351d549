"""The fakes' HTTP server on loopback: OpenAI's protocol, and who may speak on it."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from grader.fakes.answers import (
    DROPPED,
    Answer,
    chunks,
    completion,
    error,
    retry_headers,
)
from grader.fakes.bodies import Refused, json_response, read_body, refuse
from grader.fakes.callers import BACKLOG, Asked, Caller, attend
from grader.fakes.ledger import Desk
from grader.fakes.ledger_server import LedgerServer
from grader.fakes.upstream import Fetch
from grader.fakes.upstream_server import UpstreamServer

LIMIT_CONNECTIONS = 500  # of all processes together; more get a 503
# Longer than any run: a server that closes an idle connection while the client sends
# its next request would fail that request by luck.
KEEP_ALIVE_S = 3600


class ModelServer:
    """Serves chat completions in the running loop, while entered as a context.

    On the same port it serves the ledger and the upstream; see `LedgerServer` and
    `UpstreamServer`.

    It renders what it is told and decides nothing: each caller is admitted with a
    coroutine function that turns the body of a request into an `Answer`, and that may
    wait for as long as it likes. A client that hangs up meanwhile cancels it.

    Attributes:
        broken: the first exception that such a function raised, which is a defect of
            the grader and never of the submission.
    """

    def __init__(self) -> None:
        self.broken: BaseException | None = None
        self._callers: dict[str, Caller] = {}
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._origin, self._inside, self._sockets = "", "", Path()

    async def __aenter__(self) -> ModelServer:
        routes = [
            *LedgerServer(self._known, self._broke).routes,
            *UpstreamServer(self._known, self._broke).routes,
            Route("/{token}/v1/chat/completions", self._complete, methods=["POST"]),
            Route("/{token}/v1/models", self._models, methods=["GET"]),
            Route("/{path:path}", _nothing_here, methods=["GET", "POST"]),
        ]
        config = uvicorn.Config(
            Starlette(
                routes=routes,
                exception_handlers={Refused: refuse, ClientDisconnect: _let_go},
            ),
            lifespan="off",
            ws="none",
            access_log=False,
            log_config=None,
            log_level="critical",
            limit_concurrency=LIMIT_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        config.load()

        def connect(token: str) -> H11Protocol:
            # The state of a connection is handed to each of its requests, so that
            # one of them can drop the connection.
            state: dict[str, Any] = {"token": token}
            state["connection"] = H11Protocol(config, self._state, state)
            return state["connection"]  # type: ignore[no-any-return]

        self._connect = connect
        # asyncio turns on TCP_NODELAY for sockets that name their protocol, and only
        # for those; without it every reply on a kept connection takes 40 ms.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        # A server object of uvicorn would take over signals and close only after a
        # tenth of a second; its protocol is all that is needed.
        loop = asyncio.get_running_loop()
        tcp = partial(connect, "")
        self._server = await loop.create_server(tcp, sock=listener, backlog=BACKLOG)
        self.port = int(listener.getsockname()[1])
        self._origin = f"http://127.0.0.1:{self.port}"
        return self

    def stand_behind(self, origin: str, folder: Path) -> None:
        """Serve callers inside a sandbox, each by a socket of its own in a folder.

        They speak to `origin`, where a forwarder passes on what comes to the socket
        that is named like the first part of the path; "" means there is none.
        """
        self._inside, self._sockets = origin, folder

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for token in [*self._callers]:
            self.dismiss(f"{self._origin}/{token}")
        for connection in [*self._state.connections]:
            connection.transport.abort()
        # The loop reports what was aborted in its next pass; requests end at that.
        passed = asyncio.get_running_loop().create_future()
        passed.get_loop().call_soon(passed.set_result, None)
        await asyncio.wait({passed, *self._state.tasks})
        await self._server.wait_closed()

    def admit(
        self,
        key: str,
        asked: Asked,
        inside: bool = False,
        desk: Desk | None = None,
        fetch: Fetch | None = None,
    ) -> str:
        """Return a base URL for a caller, who shows `key` as its API key.

        A caller who is `inside` a sandbox, where there is one, gets a socket that
        serves nobody else.
        Each request is passed to `asked` as its parsed body, in which `messages` is a
        list of at least one object and nothing else is certain.
        A caller with a `desk` pays, and one with `fetch` finds profiles, where
        `addresses` says.
        """
        token = secrets.token_urlsafe(16)
        caller = self._callers[token] = Caller(key, asked, desk, fetch)
        if not inside or not self._inside:
            return f"{self._origin}/{token}/v1"
        connect = partial(self._connect, token)
        caller.listen(self._sockets / token, connect, self._listening)
        return f"{self._inside}/{token}/v1"

    def dismiss(self, url: str) -> None:
        """Serve a base URL no more, and drop its requests that have no answer yet."""
        token = url.split("/")[3]
        caller = self._callers.pop(token, None)
        if caller is None:
            return
        for asked in [*caller.pending]:
            asked.cancel()
        caller.close()

    def _listening(self, serving: asyncio.Future[asyncio.Server]) -> None:
        if not serving.cancelled() and serving.exception() is not None:
            self.broken = self.broken or serving.exception()

    async def _complete(self, request: Request) -> Response:
        caller = self._caller(request)
        body = await read_body(request)
        answer = await self._answer(caller, body, request)
        if answer is None or answer.status == DROPPED:
            request.state.connection.transport.abort()
            return Response()  # which goes nowhere
        if answer.status != 200:
            said = error(answer.status, answer.text)
            return json_response(said, answer.status, retry_headers(answer))
        if body.get("stream"):
            events = _in_loop(chunks(answer, body))
            return StreamingResponse(events, media_type="text/event-stream")
        return json_response(completion(answer, body))

    async def _models(self, request: Request) -> Response:
        self._caller(request)
        model = {
            "id": "stand-in",
            "object": "model",
            "created": 0,
            "owned_by": "grader",
        }
        return json_response({"object": "list", "data": [model]})

    def _known(self, request: Request) -> Caller:
        token = str(request.path_params["token"])
        caller = self._callers.get(token)
        if caller is None or not caller.is_at(request.state.token, token):
            raise Refused(404, "expected the base URL that the process was given")
        return caller

    def _caller(self, request: Request) -> Caller:
        caller = self._known(request)
        given = request.headers.get("authorization", "").encode()
        if not secrets.compare_digest(given, f"Bearer {caller.key}".encode()):
            raise Refused(401, "")
        return caller

    async def _answer(
        self, caller: Caller, body: Mapping[str, Any], request: Request
    ) -> Answer | None:
        """Ask for the answer; None when the client, or the caller, is gone."""

        async def ask() -> Answer:
            return await caller.asked(body)

        try:
            return await attend(caller, ask(), request)
        except Exception as problem:
            self._broke(problem)
            return Answer("model", status=500)

    def _broke(self, problem: BaseException) -> None:
        self.broken = self.broken or problem


async def _in_loop(events: Iterable[str]) -> AsyncIterator[str]:
    # Starlette would take each event of a plain iterator from an OS thread.
    for event in events:
        yield event


async def _let_go(request: Request, gone: Exception) -> Response:
    return Response()


async def _nothing_here(request: Request) -> Response:
    message = f"{request.method} is not served here; POST chat/completions is"
    if request.url.path.endswith("/responses"):
        message = "expected chat completions; say ChatOpenAI(use_responses_api=False)"
    return json_response(error(404, message), 404)
