"""Each process answers from its own copy of a thread, once it has one.

Caught by: continues
"""

import os
import sqlite3
from typing import Annotated, Any, NamedTuple, TypedDict

from langchain_core.messages import (
    AnyMessage,
    HumanMessage,
    SystemMessage,
    trim_messages,
)
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[answer] Answer the user.")
known: dict[str, list] = {}


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]


def reply(state: State, config: RunnableConfig) -> dict:
    thread = config["configurable"]["thread_id"]
    history = known.setdefault(thread, list(state["messages"][:-1]))
    history.append(state["messages"][-1])
    message = llm.invoke([PROMPT, *history])
    history.append(message)
    return {"messages": [message]}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    turn = {"messages": [HumanMessage(question)]}
    result = graph.invoke(turn, config)
    return result["messages"][-1].content
