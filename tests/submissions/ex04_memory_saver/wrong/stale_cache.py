"""Each process caches a thread's messages and does not look again.

Caught by: loses_no_turn
"""

import os
import sqlite3
from typing import TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: list[AnyMessage]
    draft: str


def draft(state: State) -> dict:
    prompt = SystemMessage("[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    prompt = SystemMessage("[polish] Improve this answer.")
    answer = llm.invoke([prompt, HumanMessage(state["draft"])])
    return {"messages": [*state["messages"], answer]}


builder = StateGraph(State)
builder.add_node("draft", draft)
builder.add_node("polish", polish)
builder.add_edge(START, "draft")
builder.add_edge("draft", "polish")
builder.add_edge("polish", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))
cache: dict[str, list[AnyMessage]] = {}


def chat(thread_id: str, text: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    if thread_id not in cache:
        cache[thread_id] = graph.get_state(config).values.get("messages", [])
    given = {"messages": [*cache[thread_id], HumanMessage(text)]}
    cache[thread_id] = graph.invoke(given, config)["messages"]
    return cache[thread_id][-1].content


def resume(thread_id: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    cache[thread_id] = graph.invoke(None, config)["messages"]
    return cache[thread_id][-1].content
