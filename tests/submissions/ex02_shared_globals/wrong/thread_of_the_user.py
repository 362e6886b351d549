"""A checkpointer with the user as its thread: earlier requests come back.

Caught by: forgets_the_last, same_everywhere
"""

import operator
from typing import Annotated, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")
from langgraph.checkpoint.memory import InMemorySaver


class State(TypedDict):
    user_id: str
    messages: Annotated[list[str], operator.add]


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    return {"messages": [ask(state["messages"])]}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile(checkpointer=InMemorySaver())


def handle(user_id: str, texts: list[str]) -> dict:
    config = {"configurable": {"thread_id": user_id}}
    turn = {"user_id": user_id, "messages": texts}
    # Stored at its end, so that two of them at once never read each other's turn.
    state = graph.invoke(turn, config, durability="exit")
    return {**state, "count": len(state["messages"])}
