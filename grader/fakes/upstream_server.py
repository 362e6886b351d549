"""The upstream on the wire: one request, for the profile of a user."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from grader.fakes.answers import DROPPED
from grader.fakes.bodies import Refused, json_response
from grader.fakes.callers import Caller, attend
from grader.fakes.upstream import Answered

PATH = "/{token}/upstream/profiles/{user}"


class UpstreamServer:
    """Serves profiles to callers that have an upstream; see `LedgerServer`."""

    def __init__(
        self,
        find: Callable[[Request], Caller],
        broke: Callable[[BaseException], None],
    ) -> None:
        self._find, self._broke = find, broke

    @property
    def routes(self) -> list[Route]:
        """What is served, to be put before what matches all paths."""
        return [Route(PATH, self._show, methods=["GET"])]

    async def _show(self, request: Request) -> Response:
        caller = self._find(request)
        if caller.fetch is None:
            raise Refused(404, "there is no profile service here")
        user = request.path_params["user"]
        try:
            answered = await attend(caller, caller.fetch(user), request)
        except Exception as problem:
            self._broke(problem)
            answered = Answered(500, {"error": {"message": ""}})
        if answered is None or answered.status == DROPPED:
            request.state.connection.transport.abort()
            return Response()  # which goes nowhere
        return json_response(answered.body, answered.status)
