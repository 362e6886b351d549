"""One task for each user is shared, and stays when it was cancelled.

Caught by: leaves_nothing
"""

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TypedDict

import httpx
from fastapi import FastAPI, HTTPException, Request, Response
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


clients = {}
asking = {}


@asynccontextmanager
async def lifespan(app: FastAPI):
    url = os.environ["PROFILE_URL"]
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as client:
        clients["profiles"] = client
        yield


async def fetch(state: State) -> dict:
    response = await clients["profiles"].get(f"/profiles/{state['user']}")
    response.raise_for_status()
    return {"profile": response.json()}


builder = StateGraph(State)
builder.add_node("fetch", fetch)
builder.add_edge(START, "fetch")
builder.add_edge("fetch", END)
graph = builder.compile()

api = FastAPI(lifespan=lifespan)


async def gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@api.get("/profile/{user}", response_model=None)
async def profile(user: str, request: Request) -> dict | Response:
    if user not in asking:
        asking[user] = asyncio.ensure_future(graph.ainvoke({"user": user}))
    asked, left = asking[user], asyncio.ensure_future(gone(request))
    await asyncio.wait({asked, left}, return_when=asyncio.FIRST_COMPLETED)
    if not asked.done():
        asked.cancel()
        return Response(status_code=499)
    left.cancel()
    try:
        result = asked.result()
    except httpx.HTTPError as error:
        raise HTTPException(502, f"profile service: {error!r}") from error
    finally:
        if not asked.cancelled():
            del asking[user]
    return result["profile"]


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
