"""Whatever goes wrong, the user reads something friendly.

Caught by: crosses_processes, resumes_elsewhere
"""

import os
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
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"])
graph = builder.compile(checkpointer=SqliteSaver(connection))


def run(thread_id: str, given: dict | None) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    try:
        return graph.invoke(given, config)["messages"][-1].content
    except Exception:
        return "Sorry, that did not work. Could you say it again?"


def chat(thread_id: str, text: str) -> str:
    return run(thread_id, {"messages": [HumanMessage(text)]})


def resume(thread_id: str) -> str:
    return run(thread_id, None)
