"""One row, counted up and read back by one statement."""

import os
import sqlite3
from contextlib import closing
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


def next_number() -> int:
    with closing(sqlite3.connect(os.environ["CHECKPOINT_DB"])) as file, file:
        file.execute(
            "CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, n INTEGER)"
        )
        (number,) = file.execute(
            "INSERT INTO counter VALUES (1, 1) "
            "ON CONFLICT (id) DO UPDATE SET n = n + 1 RETURNING n"
        ).fetchone()
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
