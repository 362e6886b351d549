# The starter of ex02_shared_globals, made by `python -m grader build`.
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


# TODO: who writes to these two, and who reads them afterwards?
DEFAULT_STATE = {"user_id": "", "messages": []}
cache = []


def reply(state: State) -> dict:
    # TODO: take everything from `state`, and return something new
    DEFAULT_STATE["user_id"] = state["user_id"]
    for text in state["messages"]:
        DEFAULT_STATE["messages"].append(text)
        cache.append(text)
    asked = [HumanMessage(text) for text in DEFAULT_STATE["messages"]]
    answer = llm.invoke([PROMPT, *asked]).content
    DEFAULT_STATE["messages"].append(answer)
    cache.append(answer)
    return {**DEFAULT_STATE, "count": len(cache)}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    return graph.invoke({"user_id": user_id, "messages": texts, "count": 0})
