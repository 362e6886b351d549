"""A dataclass in state: another process needs the same class, strict mode refuses it.

Caught by: stores_data, survives_strict
"""

import os
import sqlite3
from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")


@dataclass
class Settings:
    prompt: str


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    settings: Any


def configure(state: State) -> dict:
    made = Settings("[answer] Answer the user.")
    return {} if "settings" in state else {"settings": made}


def reply(state: State) -> dict:
    prompt = SystemMessage(state["settings"].prompt)
    return {"messages": [llm.invoke([prompt, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("configure", configure)
builder.add_node("reply", reply)
builder.add_edge(START, "configure")
builder.add_edge("configure", "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
