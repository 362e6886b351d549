"""Resumes by polishing the stored draft, without the graph: nobody stores the answer.

Caught by: resumes_elsewhere
"""

import os
import sqlite3
from typing import Annotated, TypedDict

from langchain_core.messages import (
    AnyMessage,
    HumanMessage,
    SystemMessage,
)
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")
DB = os.environ["CHECKPOINT_DB"]
DRAFT = SystemMessage("[draft] Answer the user.")
POLISH = SystemMessage("[polish] Improve this answer.")


def config_of(thread_id):
    return {"configurable": {"thread_id": thread_id}}


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    draft: str


def draft(state: State) -> dict:
    return {"draft": llm.invoke([DRAFT, *state["messages"]]).content}


def polish(state: State) -> dict:
    return {"messages": [llm.invoke([POLISH, HumanMessage(state["draft"])])]}


builder = StateGraph(State).add_node(draft).add_node(polish)
builder.add_edge(START, "draft").add_edge("draft", "polish")


def open_saver():
    return SqliteSaver(sqlite3.connect(DB, check_same_thread=False))


graph = builder.compile(checkpointer=open_saver())


def chat(thread_id: str, text: str) -> str:
    return graph.invoke({"messages": [HumanMessage(text)]}, config_of(thread_id))[
        "messages"
    ][-1].content


def resume(thread_id: str) -> str:
    values = graph.get_state(config_of(thread_id)).values
    return polish(values)["messages"][0].content
