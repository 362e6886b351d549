"""The last number in a text file, locked from before it is read until it is written."""

import fcntl
import os
from pathlib import Path
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


def next_number() -> int:
    path = Path(os.environ["CHECKPOINT_DB"]).with_name("last.txt")
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        number = int(file.read() or 0) + 1
        file.truncate(0)
        file.write(str(number))
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
