"""One more than the largest that is there; another may read it too before it is written.

Caught by: never_twice
"""

import os
import sqlite3
from contextlib import closing
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    number: int


def take(state):
    with closing(sqlite3.connect(os.environ["CHECKPOINT_DB"], timeout=30)) as db:
        with db:
            db.execute("create table if not exists t(n int)")
        n = (db.execute("select max(n) from t").fetchone()[0] or 0) + 1
        with db:
            db.execute("insert into t values(?)", (n,))
    return {"number": n}


builder = StateGraph(State)
builder.add_node("take", take)
builder.add_edge(START, "take")
builder.add_edge("take", END)
graph = builder.compile()


def ticket() -> int:
    return graph.invoke({"number": 0})["number"]
