"""A pool of its own, as large as the default one of the server.

Caught by: inside_at_once
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

import httpx
from fastapi import FastAPI, HTTPException
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


client = httpx.Client(base_url=os.environ["PROFILE_URL"], timeout=30.0)
pool = ThreadPoolExecutor(40)


async def fetch(state: State) -> dict:
    loop = asyncio.get_running_loop()
    path = f"/profiles/{state['user']}"
    response = await loop.run_in_executor(pool, client.get, path)
    response.raise_for_status()
    return {"profile": response.json()}


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
    except httpx.HTTPError as error:
        raise HTTPException(502, f"profile service: {error!r}") from error
    return result["profile"]


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
