"""The fifth reply is built in the list that the first caller holds.

Caught by: stays_as_it_was
"""

import itertools
import threading
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")


class Ring:
    """As many lists as we have worker threads."""

    def __init__(self, size: int = 4) -> None:
        self.lock = threading.Lock()
        self.lists = itertools.cycle([[] for _ in range(size)])

    def filled(self, items: list[str]) -> list[str]:
        with self.lock:
            buffer = next(self.lists)
            buffer[:] = items
            return buffer


ring = Ring()


class State(TypedDict, total=False):
    texts: list[str]
    answer: str


def reply(state: State) -> State:
    return {
        "answer": llm.invoke(
            [PROMPT, *(HumanMessage(text) for text in state["texts"])]
        ).content
    }


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    answer = graph.invoke({"texts": list(texts)})["answer"]
    messages = ring.filled([*texts, answer])
    return {"user_id": user_id, "messages": messages, "count": len(messages)}
