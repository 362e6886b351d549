"""Reads the body of a request to a fake, and writes that of its response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from grader.fakes.answers import error

LIMIT_BODY_BYTES = 2**20  # of one request


class Refused(Exception):
    """Raised for a request that gets an error before anybody is asked."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_object(request: Request) -> dict[str, Any]:
    """Return the parsed body of a request.

    Raises:
        Refused: it is too large, or no JSON object.
    """
    raw = bytearray()
    async for part in request.stream():
        raw += part
        if len(raw) > LIMIT_BODY_BYTES:
            raise Refused(413, f"expected at most {LIMIT_BODY_BYTES} bytes")
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as problem:
        raise Refused(400, f"expected JSON, found {problem}") from None
    if not isinstance(body, dict):
        raise Refused(400, f"expected an object, found {type(body).__name__}")
    return body


async def read_body(request: Request) -> dict[str, Any]:
    """Return the parsed body of a chat completions request.

    Raises:
        Refused: it is too large, or no object with a list of messages.
    """
    body = await read_object(request)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "expected an object with a list of messages")
    if not all(isinstance(message, dict) for message in messages):
        raise Refused(400, "expected every message to be an object")
    return body


async def refuse(request: Request, refused: Exception) -> Response:
    """Return the response to a request that was refused."""
    status = getattr(refused, "status", 400)
    return json_response(error(status, str(refused)), status)


def json_response(
    data: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a response whose body is JSON."""
    # Starlette's own JSON refuses half a surrogate pair, which a submission may send.
    return Response(json.dumps(data), status, headers, "application/json")
