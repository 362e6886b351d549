"""The name of the model in state, the model itself from a cached factory."""

import os
import sqlite3
from functools import cache
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages


@cache
def model(name: str) -> ChatOpenAI:
    return ChatOpenAI(model=name)


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    model: str


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    return {"messages": [model(state["model"]).invoke([prompt, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke(
        {"messages": [HumanMessage(question)], "model": "gpt-4o-mini"}, config
    )
    return result["messages"][-1].content
