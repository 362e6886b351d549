"""The starter: each process has a counter of its own. Caught by: counts_on."""

import itertools
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

numbers = itertools.count(1)


def next_number() -> int:
    return next(numbers)


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
