"""A default that nobody changes: each request starts from a deep copy."""

import copy
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")

DEFAULT_STATE = {"user_id": "", "messages": [], "count": 0}


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    state["messages"].append(ask(state["messages"]))
    return {"messages": state["messages"], "count": len(state["messages"])}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    state = copy.deepcopy(DEFAULT_STATE)
    state["user_id"] = user_id
    state["messages"].extend(texts)
    return graph.invoke(state)
