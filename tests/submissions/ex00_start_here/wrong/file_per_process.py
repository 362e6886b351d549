"""A database, in the folder of the process. Caught by: counts_on."""

import sqlite3
from contextlib import closing
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


def next_number() -> int:
    with closing(sqlite3.connect("tickets.db")) as file, file:
        file.execute("CREATE TABLE IF NOT EXISTS tickets (number INTEGER PRIMARY KEY)")
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
