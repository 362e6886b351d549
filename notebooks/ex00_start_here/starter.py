# The starter of ex00_start_here, made by `python -m grader build`.
import itertools
import os
import sqlite3
from contextlib import closing
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

numbers = itertools.count(1)


class State(TypedDict):
    number: int


def from_memory() -> int:
    """Count in this process's memory."""
    return next(numbers)


def from_file() -> int:
    """Count in a file that all processes share: one row for each ticket."""
    with closing(sqlite3.connect(os.environ["CHECKPOINT_DB"])) as file, file:
        file.execute("CREATE TABLE IF NOT EXISTS tickets (number INTEGER PRIMARY KEY)")
        return file.execute("INSERT INTO tickets DEFAULT VALUES").lastrowid


def take(state: State) -> State:
    # TODO: take the number from where every process can see it
    return {"number": from_memory()}


builder = StateGraph(State)
builder.add_node("take", take)
builder.add_edge(START, "take")
builder.add_edge("take", END)
graph = builder.compile()


def ticket() -> int:
    return graph.invoke({"number": 0})["number"]
