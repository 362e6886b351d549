"""After three failures in a row nobody is let through, whoever asks.

Caught by: says_why
"""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from typing import TypedDict
from urllib.parse import quote

import httpx
from fastapi import FastAPI, HTTPException, Response
from langgraph.graph import END, START, StateGraph


class Breaker:
    def __init__(self, limit: int = 3, rest: float = 10.0) -> None:
        self.limit, self.rest = limit, rest
        self.failures, self.open_until, self.last = 0, 0.0, ""

    def check(self) -> None:
        if asyncio.get_running_loop().time() < self.open_until:
            raise HTTPException(502, f"profile service is failing: {self.last}")

    def failed(self, reason: str) -> HTTPException:
        self.failures, self.last = self.failures + 1, reason
        if self.failures >= self.limit:
            self.open_until = asyncio.get_running_loop().time() + self.rest
            self.failures = 0
        return HTTPException(502, f"profile service: {reason}")

    def worked(self) -> None:
        self.failures = 0


class State(TypedDict, total=False):
    user: str
    body: bytes


shared: dict[str, httpx.AsyncClient] = {}
breaker = Breaker()


async def fetch(state: State) -> dict:
    breaker.check()
    try:
        answer = await shared["client"].get(
            f"/profiles/{quote(state['user'], safe='')}"
        )
        answer.raise_for_status()
        json.loads(answer.content)
    except httpx.HTTPStatusError as error:
        raise breaker.failed(f"status {error.response.status_code}") from error
    except httpx.HTTPError as error:
        raise breaker.failed(repr(error)) from error
    except ValueError as error:
        raise breaker.failed("no JSON") from error
    breaker.worked()
    return {"body": answer.content}


graph = (
    StateGraph(State)
    .add_node("fetch", fetch)
    .add_edge(START, "fetch")
    .add_edge("fetch", END)
    .compile()
)


@asynccontextmanager
async def lifespan(app: FastAPI):
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(
        base_url=os.environ["PROFILE_URL"], timeout=35, limits=limits
    ) as client:
        shared["client"] = client
        yield


api = FastAPI(lifespan=lifespan)


@api.get("/profile/{user}")
async def profile(user: str) -> Response:
    result = await graph.ainvoke({"user": user})
    return Response(result["body"], media_type="application/json")


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
