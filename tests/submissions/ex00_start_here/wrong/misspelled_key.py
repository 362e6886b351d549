"""The node returns a key that the state lacks, which is dropped. Caught by: counts_on."""

import os
import sqlite3
from contextlib import closing
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


def next_number() -> int:
    with closing(sqlite3.connect(os.environ["CHECKPOINT_DB"])) as file, file:
        file.execute("CREATE TABLE IF NOT EXISTS tickets (number INTEGER PRIMARY KEY)")
        return file.execute("INSERT INTO tickets DEFAULT VALUES").lastrowid


class State(TypedDict):
    number: int


def take(state: State) -> State:
    return {"next_number": next_number()}


builder = StateGraph(State)
builder.add_node("take", take)
builder.add_edge(START, "take")
builder.add_edge("take", END)
graph = builder.compile()


def ticket() -> int:
    return graph.invoke({"number": 0})["number"]
