"""A server that asks for profiles, how it waits for them, and who asks it."""

from __future__ import annotations

from grader.vocabulary import Run, process, together
from grader.vocabulary.calls import Call, Together
from grader.vocabulary.scenario import Step
from tests.harness.small import Warm, exercise

CONTRACT = ("api: ASGI application",)
# Asks the upstream with the standard library only; `WAY` says how it waits for it.
SERVES = """
import asyncio, json, os, urllib.error, urllib.request
from concurrent.futures import ThreadPoolExecutor

POOL = ThreadPoolExecutor(SIZE)

def fetch(user):
    url = os.environ["PROFILE_URL"] + "/profiles/" + user
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return 200, json.load(response)
    except urllib.error.HTTPError as refused:
        return 502, {"detail": str(refused.code)}
    except OSError as problem:
        return 502, {"detail": type(problem).__name__}

async def api(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    what, _, user = scope["path"][1:].partition("/")
    status, value = 200, {"status": "ok"}
    if what == "profile":
        WAY
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})

async def lifespan(receive, send):
    for stage in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{stage}.complete"})
"""
AWAITED = "status, value = await loop().run_in_executor(POOL, fetch, user)"
AWAITED = AWAITED.replace("loop()", "asyncio.get_running_loop()")


def program(way: str, size: int = 8) -> str:
    return SERVES.replace("SIZE", str(size)).replace("WAY", way)


def served(warm: Warm, text: str, *steps: Step) -> Run:
    """Return what happens when these steps are taken with a server."""
    return warm.histories(text, exercise(*steps, contract=CONTRACT)).runs["only"]


def asks(number: int, hangs_up: bool = False) -> Call:
    return process(0).gets(f"/profile/{{user_{number}}}", hangs_up)


def crowd(*more: Call, count: int = 4, hangs_up: bool = False) -> Together:
    calls = (asks(number, hangs_up) for number in range(count))
    return together(*calls, held_at="profile", meanwhile=more)


HEALTH = process(0).gets("/health")
