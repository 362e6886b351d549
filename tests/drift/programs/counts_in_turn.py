"""Counts three runs in a list of the module."""

from typing import TypedDict

from langgraph.graph import START, StateGraph

cache: list[str] = []


class State(TypedDict):
    count: int


def counts(state: State) -> State:
    cache.append("")
    return {"count": len(cache)}


app = StateGraph(State).add_node("counts", counts).add_edge(START, "counts").compile()
print(*(app.invoke({"count": 0})["count"] for _ in range(3)))
