"""Globals that never change: a tuple, a frozen set, a prompt."""

from types import MappingProxyType
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")

GREETINGS = ("hello", "good morning")
LIMITS = MappingProxyType({"texts": 100})


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    answer = ask(state["messages"][-LIMITS["texts"] :])
    polite = answer if answer.lower() not in GREETINGS else answer
    messages = state["messages"] + [polite]
    return {"messages": messages, "count": len(messages)}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    return graph.invoke({"user_id": user_id, "messages": texts, "count": 0})
