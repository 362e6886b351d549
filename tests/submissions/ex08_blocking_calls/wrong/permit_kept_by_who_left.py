"""A ceiling of 48 whose permit is not given back by a request that is cancelled.

Caught by: leaves_nothing
"""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from typing import TypedDict
from urllib.parse import quote

import httpx
from fastapi import FastAPI, HTTPException, Request, Response
from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    user: str
    body: bytes


shared: dict[str, httpx.AsyncClient] = {}
places = asyncio.Semaphore(48)


async def fetch(state: State) -> dict:
    await places.acquire()
    try:
        answer = await shared["client"].get(
            f"/profiles/{quote(state['user'], safe='')}"
        )
    except httpx.HTTPError as error:
        places.release()
        raise HTTPException(502, f"profile service: {error!r}") from error
    places.release()
    if answer.status_code != 200:
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


async def hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@api.get("/profile/{user}")
async def profile(user: str, request: Request) -> Response:
    work = asyncio.create_task(graph.ainvoke({"user": user}))
    watch = asyncio.create_task(hung_up(request))
    try:
        await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        work.cancel()
        watch.cancel()
        await asyncio.gather(work, watch, return_exceptions=True)
    if work.cancelled():
        return Response(status_code=499)
    return Response(work.result()["body"], media_type="application/json")


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
