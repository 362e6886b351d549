"""A lock, which other processes do not see either. Caught by: counts_on."""

import threading
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

lock = threading.Lock()
last = 0


def next_number() -> int:
    global last
    with lock:
        last += 1
        return last


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
