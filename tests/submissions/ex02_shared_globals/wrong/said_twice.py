"""A text that the user has said twice is taken once.

Caught by: own_data
"""

from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


def reply(state: State) -> State:
    texts = list(dict.fromkeys(state["messages"]))
    messages = [
        *texts,
        llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content,
    ]
    return {"user_id": state["user_id"], "messages": messages, "count": len(messages)}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    return graph.invoke({"user_id": user_id, "messages": list(texts), "count": 0})
