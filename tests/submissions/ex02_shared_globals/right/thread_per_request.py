"""A checkpointer is fine where each request has a thread of its own."""

import uuid
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")
from langgraph.checkpoint.memory import InMemorySaver


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    messages = [*state["messages"], ask(state["messages"])]
    return {"messages": messages, "count": len(messages)}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile(checkpointer=InMemorySaver())


def handle(user_id: str, texts: list[str]) -> dict:
    config = {"configurable": {"thread_id": str(uuid.uuid4())}}
    return graph.invoke({"user_id": user_id, "messages": texts, "count": 0}, config)
