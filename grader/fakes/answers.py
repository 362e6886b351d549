"""An answer of the model, and how OpenAI's chat completions protocol spells it."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

DROPPED = 0  # the status of an answer that is none: the connection is closed

# Message, type and code of an error, in the words that OpenAI sends.
ERRORS: Mapping[int, tuple[str, str, str | None]] = {
    400: ("The request could not be read.", "invalid_request_error", None),
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    404: ("Nothing is served here.", "invalid_request_error", "unknown_url"),
    413: ("The request is too large.", "invalid_request_error", None),
    429: ("Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
    500: (
        "The server had an error while processing your request.",
        "server_error",
        None,
    ),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model answers to one request: text, a tool call, or an error.

    `status` is the HTTP status, or 0 for a connection dropped without a response;
    `text` is then the error's message, where the usual one does not do.
    `reference` is the reference that the text or the arguments carry, if any.
    """

    event: str
    text: str = ""
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    retry_after_s: float | None = None
    reference: str = ""


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message, its content a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") for part in content if isinstance(part, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str))


def error(status: int, message: str = "") -> dict[str, Any]:
    """Return the body of an error response."""
    usual, kind, code = ERRORS.get(status, ERRORS[500 if status >= 500 else 400])
    return {
        "error": {
            "message": message or usual,
            "type": kind,
            "param": None,
            "code": code,
        }
    }


def retry_headers(answer: Answer) -> dict[str, str]:
    """Return the headers that say when to try again; OpenAI's client reads both."""
    if answer.retry_after_s is None:
        return {}
    return {
        "retry-after": f"{answer.retry_after_s:g}",
        "retry-after-ms": f"{answer.retry_after_s * 1000:g}",
    }


def completion(answer: Answer, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a response that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if answer.tool:
        call = {"name": answer.tool, "arguments": json.dumps(answer.arguments)}
        message["tool_calls"] = [
            {"id": _id("call_"), "type": "function", "function": call}
        ]
    else:
        message["content"] = answer.text
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_reason(answer),
    }
    head = _head("chat.completion", body)
    return {**head, "choices": [choice], "usage": usage(answer, body)}


def chunks(answer: Answer, body: Mapping[str, Any]) -> Iterator[str]:
    """Yield the server-sent events of a streamed response, a few words in each."""
    head = _head("chat.completion.chunk", body)
    deltas = list(_deltas(answer))
    for delta in deltas:
        yield _event({**head, "choices": [_choice(delta, None)]})
    yield _event({**head, "choices": [_choice({}, _finish_reason(answer))]})
    options = body.get("stream_options")
    if isinstance(options, Mapping) and options.get("include_usage"):
        yield _event({**head, "choices": [], "usage": usage(answer, body)})
    yield "data: [DONE]\n\n"


def usage(answer: Answer, body: Mapping[str, Any]) -> dict[str, int]:
    """Return the usage numbers; a token of this model is a word."""
    prompt = sum(len(text_of(message).split()) for message in body["messages"])
    said = json.dumps(answer.arguments) if answer.tool else answer.text
    completed = len(said.split())
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completed,
        "total_tokens": prompt + completed,
    }


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    if not answer.tool:
        yield {"role": "assistant", "content": ""}
        for piece in _pieces(answer.text):
            yield {"content": piece}
        return
    call = {"name": answer.tool, "arguments": ""}
    start = {"index": 0, "id": _id("call_"), "type": "function", "function": call}
    yield {"role": "assistant", "content": None, "tool_calls": [start]}
    for piece in _pieces(json.dumps(answer.arguments)):
        yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def _pieces(text: str) -> list[str]:
    """Cut a text after every word, and a long one into at most about 50 pieces."""
    words = re.findall(r"\s*\S+\s*", text) or [text]
    size = 1 + len(words) // 50
    return ["".join(words[at : at + size]) for at in range(0, len(words), size)]


def _head(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    # Ids are unguessable because some programs store messages under them: two runs on
    # one database must not meet.
    return {
        "id": _id("chatcmpl-"),
        "object": kind,
        "created": int(time.time()),
        "model": str(body.get("model", "")),
    }


def _choice(delta: Mapping[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {
        "index": 0,
        "delta": delta,
        "logprobs": None,
        "finish_reason": finish_reason,
    }


def _event(data: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


def _finish_reason(answer: Answer) -> str:
    return "tool_calls" if answer.tool else "stop"


def _id(prefix: str) -> str:
    return prefix + secrets.token_hex(12)
