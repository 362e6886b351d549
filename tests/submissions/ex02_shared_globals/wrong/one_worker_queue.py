"""A pool of one OS thread stands in for the lock.

Caught by: apart_at_once
"""

from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")

pool = ThreadPoolExecutor(max_workers=1)


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
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    state = {"user_id": user_id, "messages": texts, "count": 0}
    return pool.submit(graph.invoke, state).result()
