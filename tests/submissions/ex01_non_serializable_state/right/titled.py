"""A second node asks for a title of the conversation, and keeps it as text."""

import os
import sqlite3
from datetime import UTC, datetime
from typing import Annotated, TypedDict
from uuid import UUID, uuid4

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    asked_at: datetime
    topics: set[str]
    request: UUID
    title: str


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    return {"messages": [llm.invoke([prompt, *state["messages"]])]}


def title(state: State) -> dict:
    said = state["messages"][-1].content
    return {"title": llm.invoke(f"A title of three words for: {said}").content}


builder = StateGraph(State)
builder.add_node("title", title)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", "title")
builder.add_edge("title", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    now = {"asked_at": datetime.now(UTC), "topics": {"names"}, "request": uuid4()}
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(question)], **now}, config)
    return result["messages"][-1].content
