"""One connection for the life of the process, shared by its OS threads."""

import os
import sqlite3
import threading
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

file = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
file.execute("CREATE TABLE IF NOT EXISTS tickets (number INTEGER PRIMARY KEY)")
lock = threading.Lock()


def next_number() -> int:
    with lock, file:
        return file.execute("INSERT INTO tickets DEFAULT VALUES").lastrowid


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
