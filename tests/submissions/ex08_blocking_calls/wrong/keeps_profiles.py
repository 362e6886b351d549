"""A profile is kept for the next request, and is then no longer true.

Caught by: right_profile, says_why, leaves_nothing
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
kept = {}


@asynccontextmanager
async def lifespan(app: FastAPI):
    url = os.environ["PROFILE_URL"]
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as client:
        clients["profiles"] = client
        yield


async def fetch(state: State) -> dict:
    user = state["user"]
    if user not in kept:
        response = await clients["profiles"].get(f"/profiles/{user}")
        response.raise_for_status()
        kept[user] = response.json()
    return {"profile": kept[user]}


builder = StateGraph(State)
builder.add_node("fetch", fetch)
builder.add_edge(START, "fetch")
builder.add_edge("fetch", END)
graph = builder.compile()

api = FastAPI(lifespan=lifespan)


@api.get("/profile/{user}")
async def profile(user: str) -> dict:
    try:
        result = await graph.ainvoke({"user": user})
    except httpx.HTTPError as error:
        raise HTTPException(502, f"profile service: {error!r}") from error
    return result["profile"]


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
