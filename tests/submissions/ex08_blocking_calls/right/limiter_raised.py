"""Plain endpoints and no loop of its own, with more tokens for the server's pool."""

import os
from contextlib import asynccontextmanager
from typing import TypedDict

import anyio.to_thread
import httpx
from fastapi import FastAPI, HTTPException
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


client = httpx.Client(base_url=os.environ["PROFILE_URL"], timeout=30.0)


@asynccontextmanager
async def lifespan(app: FastAPI):
    anyio.to_thread.current_default_thread_limiter().total_tokens = 100
    yield
    client.close()


def fetch(state: State) -> dict:
    response = client.get(f"/profiles/{state['user']}")
    response.raise_for_status()
    return {"profile": response.json()}


builder = StateGraph(State)
builder.add_node("fetch", fetch)
builder.add_edge(START, "fetch")
builder.add_edge("fetch", END)
graph = builder.compile()

api = FastAPI(lifespan=lifespan)


@api.get("/profile/{user}")
def profile(user: str) -> dict:
    try:
        result = graph.invoke({"user": user})
    except httpx.HTTPError as error:
        raise HTTPException(502, f"profile service: {error!r}") from error
    return result["profile"]


@api.get("/health")
def health() -> dict:
    return {"status": "ok"}
