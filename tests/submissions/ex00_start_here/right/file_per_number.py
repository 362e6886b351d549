"""A file for each number; the file system creates each of them once."""

import os
from pathlib import Path
from typing import TypedDict

from langgraph.graph import END, START, StateGraph


def next_number() -> int:
    folder = Path(os.environ["CHECKPOINT_DB"]).with_name("tickets")
    folder.mkdir(exist_ok=True)
    number = 1
    while True:
        try:
            (folder / str(number)).touch(exist_ok=False)
            return number
        except FileExistsError:
            number += 1


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
