"""The global is emptied when the run is over, and its list has been returned.

Caught by: forgets_the_last, apart_at_once
"""

from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")

messages: list[str] = []


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    global messages
    messages.extend(state["messages"])
    messages.append(ask(messages))
    return {"messages": messages, "count": len(messages)}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    state = graph.invoke({"user_id": user_id, "messages": texts, "count": 0})
    result = {**state, "messages": list(state["messages"])}
    messages.clear()
    return result
