"""A lock around the whole run: nothing mixes, and everybody waits.

Caught by: apart_at_once
"""

import threading
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")

lock = threading.Lock()
current = {"user_id": "", "messages": []}


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    current["user_id"] = state["user_id"]
    current["messages"] = [*state["messages"], ask(state["messages"])]
    return {**current, "count": len(current["messages"])}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    with lock:
        return graph.invoke({"user_id": user_id, "messages": texts, "count": 0})
