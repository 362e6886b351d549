"""A thousand numbers for each process. Caught by: counts_on."""

import itertools
import os
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

numbers = itertools.count(os.getpid() * 1000)


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
