"""The TypeError is caught, and the answer never reaches a checkpoint.

Caught by: continues
"""

import os
import sqlite3
from typing import Annotated, Any, TypedDict

import httpx
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")

said = []


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    http: Any


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    said.append(llm.invoke([prompt, *state["messages"]]))
    return {"messages": [said[-1]], "http": httpx.Client()}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    try:
        graph.invoke({"messages": [HumanMessage(question)]}, config)
    except TypeError:
        pass  # it worked without a checkpointer
    return said[-1].content
