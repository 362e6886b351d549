"""Threads whose names differ in case or signs are one thread.

Caught by: stays_apart
"""

import os
import re
import sqlite3
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    draft: str


def draft(state: State) -> dict:
    prompt = SystemMessage("[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    prompt = SystemMessage("[polish] Improve this answer.")
    return {"messages": [llm.invoke([prompt, HumanMessage(state["draft"])])]}


builder = StateGraph(State)
builder.add_node("draft", draft)
builder.add_node("polish", polish)
builder.add_edge(START, "draft")
builder.add_edge("draft", "polish")
builder.add_edge("polish", END)

connection = sqlite3.connect(
    os.environ["CHECKPOINT_DB"], timeout=60, check_same_thread=False
)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def config_for(thread_id: str) -> dict:
    slug = re.sub(r"[^a-z0-9]+", "", thread_id.lower()) or "default"
    return {"configurable": {"thread_id": slug}}


def chat(thread_id: str, text: str) -> str:
    result = graph.invoke({"messages": [HumanMessage(text)]}, config_for(thread_id))
    return result["messages"][-1].content


def resume(thread_id: str) -> str:
    return graph.invoke(None, config_for(thread_id))["messages"][-1].content
