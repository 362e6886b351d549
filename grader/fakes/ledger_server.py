"""The ledger on the wire: the requests that a payment provider takes."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from grader.fakes.answers import DROPPED
from grader.fakes.bodies import Refused, json_response, read_object
from grader.fakes.callers import Caller, attend
from grader.fakes.ledger import Decision, Desk

PATH = "/{token}/ledger/charges"


class LedgerServer:
    """Serves charges to callers that have a desk.

    `find` returns who sends a request, or raises `Refused`; `broke` is told of what
    a desk raises, which is a defect of the grader.
    """

    def __init__(
        self,
        find: Callable[[Request], Caller],
        broke: Callable[[BaseException], None],
    ) -> None:
        self._find, self._broke = find, broke

    @property
    def routes(self) -> list[Route]:
        """What is served, to be put before what matches all paths."""
        return [
            Route(PATH, self._charge, methods=["POST"]),
            Route(PATH, self._list, methods=["GET"]),
            Route(PATH + "/{charge_id}", self._show, methods=["GET"]),
        ]

    async def _charge(self, request: Request) -> Response:
        caller, desk = self._desk(request)
        key = request.headers.get("idempotency-key", "")
        body = await read_object(request)
        try:
            decided = await attend(caller, desk.charge(key, body), request)
        except Exception as problem:
            self._broke(problem)
            decided = Decision(500, {"error": {"type": "api_error", "message": ""}})
        if decided is None or decided.status == DROPPED:
            request.state.connection.transport.abort()
            return Response()  # which goes nowhere
        again = {"idempotent-replayed": "true"} if decided.replayed else None
        return json_response(decided.body, decided.status, again)

    async def _show(self, request: Request) -> Response:
        _, desk = self._desk(request)
        found = desk.ledger.find(request.path_params["charge_id"])
        return json_response(found.body, found.status)

    async def _list(self, request: Request) -> Response:
        _, desk = self._desk(request)
        order_id = request.query_params.get("order_id")
        if order_id is None:
            raise Refused(400, "expected ?order_id=…: whose charges?")
        return json_response(desk.ledger.of_order(order_id).body)

    def _desk(self, request: Request) -> tuple[Caller, Desk]:
        caller = self._find(request)
        if caller.desk is None:
            raise Refused(404, "there is no ledger here")
        return caller, caller.desk
