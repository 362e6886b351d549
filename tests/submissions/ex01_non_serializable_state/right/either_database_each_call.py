"""SQLite or PostgreSQL, whichever the environment names: a saver for each call."""

import os
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    return {"messages": [llm.invoke([prompt, *state["messages"]])]}


def saver():
    url = os.environ.get("DATABASE_URL")
    if url:
        return PostgresSaver.from_conn_string(url)
    return SqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"])


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    with saver() as checkpointer:
        graph = builder.compile(checkpointer=checkpointer)
        result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
