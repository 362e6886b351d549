"""Pays by a line in a file, and dies where it is told, or resumes what died."""

import os
import signal
import sqlite3
import sys
import threading
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph

database, statement, durability, dies = sys.argv[1:]
mode: Any = durability
LOOKS = 2000  # for the steps before an effect to be stored


class State(TypedDict, total=False):
    order: str
    paid: bool


def die_at(place: str) -> None:
    if dies == place:
        os.kill(os.getpid(), signal.SIGKILL)


def stored() -> bool:
    """Whether the steps before this one are in the database."""
    with sqlite3.connect(database) as other:
        return other.execute("SELECT count(*) FROM checkpoints").fetchone()[0] >= 2


def charge(state: State) -> State:
    # An effect takes its time, in which the steps before it are stored.
    for _ in range(LOOKS):
        if stored():
            break
        threading.Event().wait(0.01)
    with open(statement, "a", encoding="utf-8") as file:
        file.write("charged\n")
    if dies == "receipt":
        # From here on the database is slow: what is written in the background is late,
        # and what is waited for comes in the end.
        slow.execute("BEGIN IMMEDIATE")
        if durability == "sync":
            threading.Timer(0.3, slow.rollback).start()
    die_at("charge")
    return {"paid": True}


def receipt(state: State) -> None:
    die_at("receipt")


graph = StateGraph(State).add_node(charge).add_node(receipt)
graph.add_edge(START, "charge").add_edge("charge", "receipt")
slow = sqlite3.connect(database, check_same_thread=False)
connection = sqlite3.connect(database, check_same_thread=False)
saver = SqliteSaver(connection)
saver.setup()
app = graph.compile(checkpointer=saver)
config: Any = {"configurable": {"thread_id": "t1"}}
given: Any = {"order": "1"} if dies != "nowhere" else None
print(app.invoke(given, config, durability=mode))
