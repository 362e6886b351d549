"""A dictionary by user, set at the start and taken out at the end: two tabs share it.

Caught by: apart_at_once
"""

from typing import Any, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


sessions: dict[str, list[str]] = {}


def reply(state: State) -> dict:
    messages = sessions[state["user_id"]]
    messages.append(llm.invoke([PROMPT, *map(HumanMessage, messages)]).content)
    return {"messages": list(messages), "count": len(messages)}


graph = StateGraph(State).add_node(reply).add_edge(START, "reply").compile()


def handle(user_id: str, texts: list[str]) -> dict:
    session = sessions.setdefault(user_id, [])
    session.clear()
    session.extend(texts)
    try:
        return graph.invoke({"user_id": user_id, "messages": texts, "count": 0})
    finally:
        sessions.pop(user_id, None)
