"""The reply holds the answer a second time, and the node's prompt is a long one."""

from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
GUIDE = "Be kind, be brief, and name the user where you know the name. " * 12
PROMPT = SystemMessage(f"[reply] {GUIDE}")


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int
    answer: str


def ask(texts: list[str]) -> str:
    told = "\n".join(texts)
    return llm.invoke([HumanMessage(f"{PROMPT.content}\n{told}")]).content


def reply(state: State) -> dict:
    answer = ask(state["messages"])
    messages = [*state["messages"], answer]
    return {"messages": messages, "count": len(messages), "answer": answer}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    return graph.invoke({"user_id": user_id, "messages": texts, "count": 0})
