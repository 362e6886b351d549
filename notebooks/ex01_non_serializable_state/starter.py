# The starter of ex01_non_serializable_state, made by `python -m grader build`.
import os
import sqlite3
from typing import Annotated, Any, TypedDict

import httpx
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

# TODO: keep in State what the conversation is about, and nothing else
class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    llm: Any
    http: Any


# TODO: give the node its model in a way that nobody stores
def configure(state: State) -> dict:
    return {} if "llm" in state else {"llm": ChatOpenAI(model="gpt-4o-mini")}


def connect(state: State) -> dict:
    return {"http": httpx.Client()}  # for the node that will fetch sources


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    return {"messages": [state["llm"].invoke([prompt, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("configure", configure)
builder.add_node("connect", connect)
builder.add_node("reply", reply)
builder.add_edge(START, "configure")
builder.add_edge("configure", "connect")
builder.add_edge("connect", "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
