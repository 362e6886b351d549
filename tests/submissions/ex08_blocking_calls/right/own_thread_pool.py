"""A blocking client, in OS threads of a pool of its own that is large enough."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

import requests
from fastapi import FastAPI, HTTPException
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


pool = ThreadPoolExecutor(64)


def get(user: str) -> dict:
    response = requests.get(f"{os.environ['PROFILE_URL']}/profiles/{user}", timeout=30)
    response.raise_for_status()
    return response.json()


async def fetch(state: State) -> dict:
    loop = asyncio.get_running_loop()
    return {"profile": await loop.run_in_executor(pool, get, state["user"])}


builder = StateGraph(State)
builder.add_node("fetch", fetch)
builder.add_edge(START, "fetch")
builder.add_edge("fetch", END)
graph = builder.compile()

api = FastAPI()


@api.get("/profile/{user}")
async def profile(user: str) -> dict:
    try:
        result = await graph.ainvoke({"user": user})
    except requests.RequestException as error:
        raise HTTPException(502, f"profile service: {error!r}") from error
    return result["profile"]


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
