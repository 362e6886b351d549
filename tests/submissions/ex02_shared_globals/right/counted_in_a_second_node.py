"""Two nodes and an input that is copied at the border."""

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


def ask(texts: list[str]) -> str:
    return llm.invoke([PROMPT, *(HumanMessage(text) for text in texts)]).content


def reply(state: State) -> dict:
    return {"messages": state["messages"] + [ask(state["messages"])]}


def tally(state: State) -> dict:
    return {"count": len(state["messages"])}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_node("tally", tally)
builder.add_edge(START, "reply")
builder.add_edge("reply", "tally")
builder.add_edge("tally", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    return graph.invoke({"user_id": user_id, "messages": list(texts)})
