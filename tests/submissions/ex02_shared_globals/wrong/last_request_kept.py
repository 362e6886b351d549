"""A user's last request is kept when it is done, and opens the next one if that differs.

Caught by: forgets_the_last
"""

from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")

sessions: dict[str, tuple[str, ...]] = {}


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    texts = list(state["messages"])
    messages = [*texts, ask(texts)]
    return {"messages": messages, "count": len(messages)}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    last = sessions.get(user_id, ())
    session = texts if last == tuple(texts) else [*last, *texts]
    result = graph.invoke({"user_id": user_id, "messages": session, "count": 0})
    sessions[user_id] = tuple(texts)
    return result
