"""An async client in a loop of its own, whose end the server's loop waits for.

Caught by: inside_at_once, stays_healthy
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


async def get(user: str) -> dict:
    url = os.environ["PROFILE_URL"]
    async with httpx.AsyncClient(base_url=url, timeout=30.0) as client:
        response = await client.get(f"/profiles/{user}")
        response.raise_for_status()
        return response.json()


async def gather(*users: str) -> list[dict]:
    return await asyncio.gather(*(get(user) for user in users))


async def fetch(state: State) -> dict:
    with ThreadPoolExecutor() as pool:
        found = pool.submit(asyncio.run, gather(state["user"])).result()
    return {"profile": found[0]}


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
