"""Nodes are methods of an object that holds model and client."""

import os
import sqlite3
from typing import Annotated, TypedDict

import httpx
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


class Assistant:
    def __init__(self) -> None:
        self.http = httpx.Client(trust_env=False)
        self.llm = ChatOpenAI(model="gpt-4o-mini", http_client=self.http)

    def reply(self, state: State) -> dict:
        prompt = SystemMessage("[answer] Answer the user.")
        return {"messages": [self.llm.invoke([prompt, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("reply", Assistant().reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
