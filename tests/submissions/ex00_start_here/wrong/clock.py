"""The time instead of a count. Caught by: counts_on."""

import time
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


def next_number() -> int:
    return time.time_ns()


class State(TypedDict):
    number: int


def take(state: State) -> State:
    return {"number": next_number()}


builder = StateGraph(State)
builder.add_node("take", take)
builder.add_edge(START, "take")
builder.add_edge("take", END)
graph = builder.compile()


def ticket() -> int:
    return graph.invoke({"number": 0})["number"]
