"""A response that is streamed ends where its client hangs up, before the user is let go.

Caught by: leaves_nothing
"""

import json
import os
from contextlib import asynccontextmanager
from typing import TypedDict

import httpx
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse, StreamingResponse
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


clients = {}
busy = set()


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


class Streamed(StreamingResponse):
    """Waits for the graph while it watches the client, as all streams do."""

    def __init__(self, user: str) -> None:
        super().__init__(iter(()), media_type="application/json")
        self.user = user

    async def stream_response(self, send) -> None:
        busy.add(self.user)
        try:
            result = await graph.ainvoke({"user": self.user})
            answer = JSONResponse(result["profile"])
        except httpx.HTTPError as error:
            answer = JSONResponse({"detail": f"{error!r}"}, 502)
        busy.discard(self.user)
        self.status_code, self.body_iterator = answer.status_code, once(answer.body)
        await super().stream_response(send)


async def once(body: bytes):
    yield body


@api.get("/profile/{user}", response_model=None)
async def profile(user: str) -> Streamed:
    if user in busy:
        raise HTTPException(409, "one at a time, please")
    return Streamed(user)


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
