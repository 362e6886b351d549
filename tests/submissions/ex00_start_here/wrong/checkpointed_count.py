"""The count in a checkpoint, in memory. Caught by: counts_on."""

from typing import TypedDict

from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    number: int


def take(state: State) -> State:
    return {"number": state.get("number", 0) + 1}


builder = StateGraph(State)
builder.add_node("take", take)
builder.add_edge(START, "take")
builder.add_edge("take", END)
graph = builder.compile(checkpointer=MemorySaver())


def ticket() -> int:
    config = {"configurable": {"thread_id": "tickets"}}
    return graph.invoke({}, config)["number"]
