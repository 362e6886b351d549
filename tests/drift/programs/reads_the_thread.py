"""Asks the model that another process has left in a thread's state."""

import sqlite3
import sys
from typing import Any, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph

path, annotated = [*sys.argv[1:], ""][:2]
Held = ChatOpenAI if annotated else Any


class State(TypedDict, total=False):
    held: Held
    said: str


graph = StateGraph(State)
graph.add_node("asks", lambda state: {"said": state["held"].invoke("Hi").content})
graph.add_edge(START, "asks")
connection = sqlite3.connect(path, check_same_thread=False)
app = graph.compile(checkpointer=SqliteSaver(connection))
try:
    print(app.invoke({}, {"configurable": {"thread_id": "t1"}})["said"])
except Exception as problem:
    print(f"{type(problem).__name__}: {problem}")
