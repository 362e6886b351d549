"""Who leaves an executor waits for its OS thread, on the loop, also when the client is gone.

Caught by: stays_healthy
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict
from urllib.parse import quote

import requests
from fastapi import FastAPI, HTTPException, Request, Response
from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    user: str
    body: bytes


def get(user: str) -> bytes:
    url = f"{os.environ['PROFILE_URL']}/profiles/{quote(user, safe='')}"
    response = requests.get(url, timeout=(5, 35))
    response.raise_for_status()
    response.json()
    return response.content


async def fetch(state: State) -> dict:
    loop = asyncio.get_running_loop()
    # Neither the loop's pool nor the server's: no ceiling that we have not set.
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="profile") as one:
        return {"body": await loop.run_in_executor(one, get, state["user"])}


builder = StateGraph(State)
builder.add_node("fetch", fetch)
builder.add_edge(START, "fetch")
builder.add_edge("fetch", END)
graph = builder.compile()
api = FastAPI()


async def hung_up(request: Request) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(0.05)


@api.get("/profile/{user}")
async def profile(user: str, request: Request) -> Response:
    lookup = asyncio.create_task(graph.ainvoke({"user": user}))
    gone = asyncio.create_task(hung_up(request))
    try:
        await asyncio.wait({lookup, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not lookup.done():
            return Response(status_code=499)
        state = lookup.result()
    except (requests.RequestException, ValueError) as problem:
        raise HTTPException(502, f"profile service: {problem}") from problem
    finally:
        lookup.cancel()
        gone.cancel()
        await asyncio.gather(lookup, gone, return_exceptions=True)
    return Response(state["body"], media_type="application/json")


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
