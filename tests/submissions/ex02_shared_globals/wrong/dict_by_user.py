"""A list for each user in one dictionary: users are apart, requests are not.

Caught by: forgets_the_last, apart_at_once, same_everywhere, stays_as_it_was
"""

from collections import defaultdict
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")

messages_of: dict[str, list[str]] = defaultdict(list)


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    messages = messages_of[state["user_id"]]
    messages.extend(state["messages"])
    messages.append(ask(messages))
    return {"messages": messages, "count": len(messages)}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    return graph.invoke({"user_id": user_id, "messages": texts, "count": 0})
