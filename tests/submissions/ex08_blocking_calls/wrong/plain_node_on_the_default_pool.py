"""A plain node is run by LangGraph in the loop's default pool.

Caught by: inside_at_once
"""

import os
from typing import TypedDict

import httpx
from fastapi import FastAPI, HTTPException
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


client = httpx.Client(base_url=os.environ["PROFILE_URL"], timeout=30.0)


def fetch(state: State) -> dict:
    response = client.get(f"/profiles/{state['user']}")
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
