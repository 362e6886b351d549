# The starter of ex08_blocking_calls, made by `python -m grader build`.
import os
from typing import TypedDict

from fastapi import FastAPI
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    user: str
    profile: dict


import requests


async def fetch(state: State) -> dict:
    # TODO: who waits here, and who waits for it?
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
    # TODO: what does the client hear when the service fails?
    result = await graph.ainvoke({"user": user})
    return result["profile"]


@api.get("/health")
async def health() -> dict:
    return {"status": "ok"}
