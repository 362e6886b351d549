"""Who asks is kept in a global, and so is somebody else after an await.

Caught by: right_profile
"""

import os
from contextlib import asynccontextmanager
from typing import TypedDict

import httpx
from fastapi import FastAPI, HTTPException
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


clients = {}
current = {"user": ""}


@asynccontextmanager
async def lifespan(app: FastAPI):
    url = os.environ["PROFILE_URL"]
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as client:
        clients["profiles"] = client
        yield


async def fetch(state: State) -> dict:
    response = await clients["profiles"].get(f"/profiles/{state['user']}")
    response.raise_for_status()
    return {"profile": {**response.json(), "user": current["user"]}}


builder = StateGraph(State)
builder.add_node("fetch", fetch)
builder.add_edge(START, "fetch")
builder.add_edge("fetch", END)
graph = builder.compile()

api = FastAPI(lifespan=lifespan)


@api.get("/profile/{user}")
async def profile(user: str) -> dict:
    current["user"] = user
    try:
        result = await graph.ainvoke({"user": user})
    except httpx.HTTPError as error:
        raise HTTPException(502, f"profile service: {error!r}") from error
    return result["profile"]


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
