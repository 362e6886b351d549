"""The highest number is found among texts, in which 9 is more than 10.

Caught by: counts_on
"""

import os
import sqlite3
from contextlib import closing
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    number: int


def take(state: State) -> State:
    with closing(
        sqlite3.connect(os.environ["CHECKPOINT_DB"], timeout=60, isolation_level=None)
    ) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute(
            "CREATE TABLE IF NOT EXISTS paper (number TEXT NOT NULL, printed INTEGER DEFAULT 0)"
        )
        last = db.execute("SELECT MAX(number) FROM paper").fetchone()[0]
        number = int(last or 0) + 1
        db.execute("INSERT INTO paper (number) VALUES (?)", (str(number),))
        db.execute("COMMIT")
    return {"number": number}


builder = StateGraph(State)
builder.add_node("take", take)
builder.add_edge(START, "take")
builder.add_edge("take", END)
graph = builder.compile()


def ticket() -> int:
    return graph.invoke({"number": 0})["number"]
