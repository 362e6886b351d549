"""Answers that nobody has fetched.

Caught by: right_profile, inside_at_once, stays_healthy, says_why
"""

from typing import TypedDict

import httpx
from fastapi import FastAPI, HTTPException
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


async def fetch(state: State) -> dict:
    profile = {"user": state["user"], "plan": "free", "points": 0, "read": "0" * 16}
    return {"profile": profile}


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
