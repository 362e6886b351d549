"""Reads, then writes, with the database locked from the start."""

import os
import sqlite3
from contextlib import closing
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


def next_number() -> int:
    path = os.environ["CHECKPOINT_DB"]
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        file.execute("CREATE TABLE IF NOT EXISTS tickets (number INTEGER)")
        (last,) = file.execute("SELECT max(number) FROM tickets").fetchone()
        number = (last or 0) + 1
        file.execute("INSERT INTO tickets VALUES (?)", (number,))
        file.execute("COMMIT")
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
