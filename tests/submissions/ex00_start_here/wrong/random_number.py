"""Never the same number twice, and no order. Caught by: counts_on."""

import random
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


def next_number() -> int:
    return random.SystemRandom().randrange(10**12)


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
