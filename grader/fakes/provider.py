"""A real provider behind the model server, for a learner who observes with one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from grader.fakes.answers import Answer

LIMIT_S = 60.0  # for one request to the provider
BAD_GATEWAY = 502


def configured(environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return the arguments that name a provider, or None where none is named."""
    if not environ.get("GRADER_MODEL_URL"):
        return None
    return {
        "url": environ["GRADER_MODEL_URL"],
        "key": environ.get("GRADER_MODEL_KEY", ""),
        "name": environ.get("GRADER_MODEL_NAME", ""),
    }


async def ask_provider(
    url: str, key: str, body: Mapping[str, Any], name: str = ""
) -> Answer:
    """Forward a chat completions request, and return the first choice as an answer.

    Args:
        url: the provider's base URL, such as "https://api.openai.com/v1".
        key: its API key; it is never part of an answer.
        body: the request as it came; it is not streamed to the provider.
        name: the model to ask instead of the one that the request names.
    """
    sent = {k: v for k, v in body.items() if k not in {"stream", "stream_options"}}
    if name:
        sent["model"] = name
    try:
        async with httpx.AsyncClient(timeout=LIMIT_S) as client:
            response = await client.post(
                f"{url.rstrip('/')}/chat/completions",
                headers={"authorization": f"Bearer {key}"},
                content=json.dumps(sent).encode(),
            )
        if response.status_code != 200:
            return _refusal(response, key)
        return _answer(response.json()["choices"][0]["message"])
    except httpx.HTTPError as problem:
        text = f"the provider did not answer: {type(problem).__name__}: {problem}"
        return Answer("model", status=BAD_GATEWAY, text=_hide(text, key))
    except (ValueError, LookupError, TypeError) as problem:
        text = f"the provider's answer is no chat completion: {problem!r}"
        return Answer("model", status=BAD_GATEWAY, text=_hide(text, key))


def _answer(message: Mapping[str, Any]) -> Answer:
    calls = message.get("tool_calls")
    if not calls:
        return Answer("model", text=message["content"] or message.get("refusal") or "")
    function = calls[0]["function"]  # an answer carries one call
    arguments = json.loads(function["arguments"] or "{}")
    return Answer("model", tool=function["name"], arguments=arguments)


def _refusal(response: httpx.Response, key: str) -> Answer:
    try:
        text = str(response.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        text = response.text
    wait = response.headers.get("retry-after", "")
    return Answer(
        "model",
        status=response.status_code,
        text=_hide(text, key),
        retry_after_s=float(wait) if wait.replace(".", "", 1).isdigit() else None,
    )


def _hide(text: str, key: str) -> str:
    return text.replace(key, "…") if key else text
