"""Only a status of 500 or more is taken for an error of the service.

Caught by: says_why
"""

import json
import os
from contextlib import asynccontextmanager
from typing import TypedDict
from urllib.parse import quote

import httpx
from fastapi import FastAPI, HTTPException, Response
from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    user: str
    body: bytes


shared: dict[str, httpx.AsyncClient] = {}


async def fetch(state: State) -> dict:
    try:
        answer = await shared["client"].get(
            f"/profiles/{quote(state['user'], safe='')}"
        )
    except httpx.HTTPError as error:
        raise HTTPException(502, f"profile service: {error!r}") from error
    if answer.status_code >= 500:
        raise HTTPException(502, f"profile service answered {answer.status_code}")
    try:
        json.loads(answer.content)
    except ValueError as error:
        raise HTTPException(502, "profile service sent no JSON") from error
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
