"""LangGraph collects: the node returns only what is new, a reducer adds it."""

import operator
from typing import Annotated, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")


class State(TypedDict):
    user_id: str
    messages: Annotated[list[str], operator.add]
    count: Annotated[int, operator.add]


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    return {"messages": [ask(state["messages"])], "count": 1}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    state = {"user_id": user_id, "messages": texts, "count": len(texts)}
    return graph.invoke(state)
