"""Runs one turn; where a durability is given, it is killed in the second node."""

import operator
import os
import signal
import sqlite3
import sys
from typing import Annotated, TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph

path, durability = [*sys.argv[1:], ""][:2]


class State(TypedDict, total=False):
    messages: Annotated[list[str], operator.add]


def a(state: State) -> State:
    return {"messages": ["from-a"]}


def b(state: State) -> State:
    if durability in ("sync", "async"):
        # What the kill presupposes: the checkpoint of the finished step. The row in
        # "writes" can be there before the checkpoint that it belongs to.
        reader = sqlite3.connect(path)
        while not reader.execute(
            "SELECT 1 FROM checkpoints WHERE instr(checkpoint, 'from-a')"
        ).fetchone():
            pass
    if durability:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"messages": ["from-b"]}


graph = StateGraph(State).add_node("a", a).add_node("b", b)
graph.add_edge(START, "a").add_edge("a", "b")
connection = sqlite3.connect(path, check_same_thread=False)
app = graph.compile(checkpointer=SqliteSaver(connection))
named = {"durability": durability} if durability else {}
app.invoke({"messages": ["1"]}, {"configurable": {"thread_id": "t1"}}, **named)
