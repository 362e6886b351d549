"""The last number in a text file; another process may read it too before it is written.

Caught by: never_twice
"""

import os
from pathlib import Path
from typing import TypedDict

from langgraph.graph import END, START, StateGraph

LAST = Path(os.environ["CHECKPOINT_DB"]).with_name("last.txt")


def next_number() -> int:
    number = int(LAST.read_text()) + 1 if LAST.exists() else 1
    LAST.write_text(str(number))
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
