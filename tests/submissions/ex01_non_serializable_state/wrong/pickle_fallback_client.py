"""`pickle_fallback=True` for an HTTP client, which cannot be pickled either.

Caught by: answers
"""

import os
import sqlite3
from typing import Annotated, Any, TypedDict

import httpx
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    http: Any


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    return {"messages": [llm.invoke([prompt, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(
    checkpointer=SqliteSaver(connection, serde=JsonPlusSerializer(pickle_fallback=True))
)


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke(
        {"messages": [HumanMessage(question)], "http": httpx.Client()}, config
    )
    return result["messages"][-1].content
