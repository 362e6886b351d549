"""A context variable is emptied when all went well, and a failed request is still in it.

Caught by: forgets_the_last
"""

from contextvars import ContextVar
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")
turns: ContextVar[list[str]] = ContextVar("turns")


class State(TypedDict, total=False):
    user_id: str
    answer: str


def mine() -> list[str]:
    try:
        return turns.get()
    except LookupError:
        turns.set([])
        return turns.get()


def reply(state: State) -> State:
    return {
        "answer": llm.invoke([PROMPT, *(HumanMessage(text) for text in mine())]).content
    }


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    own = mine()
    own.extend(texts)
    own.append(graph.invoke({"user_id": user_id})["answer"])
    result = {"user_id": user_id, "messages": list(own), "count": len(own)}
    own.clear()
    return result
