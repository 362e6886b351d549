"""A blocking library in an async node.

Caught by: inside_at_once, stays_healthy, says_why
"""

import os
from typing import TypedDict

import requests
from fastapi import FastAPI
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


async def fetch(state: State) -> dict:
    response = requests.get(f"{os.environ['PROFILE_URL']}/profiles/{state['user']}")
    return {"profile": response.json()}


builder = StateGraph(State)
builder.add_node("fetch", fetch)
builder.add_edge(START, "fetch")
builder.add_edge("fetch", END)
graph = builder.compile()

api = FastAPI()


@api.get("/profile/{user}")
async def profile(user: str) -> dict:
    return (await graph.ainvoke({"user": user}))["profile"]


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
