"""Reads the shared count once, when the module is imported. Caught by: counts_on."""

import itertools
import os
import sqlite3
from contextlib import closing
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

with closing(sqlite3.connect(os.environ["CHECKPOINT_DB"])) as file, file:
    file.execute("CREATE TABLE IF NOT EXISTS tickets (number INTEGER)")
    (rows,) = file.execute("SELECT count(*) FROM tickets").fetchone()
numbers = itertools.count(rows + 1)


def next_number() -> int:
    number = next(numbers)
    with closing(sqlite3.connect(os.environ["CHECKPOINT_DB"])) as file, file:
        file.execute("INSERT INTO tickets VALUES (?)", (number,))
    return number


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
