"""A question that this process has answered before is not asked again.

The next thread that asks it gets another thread's answer.

Caught by: continues
"""

import os
import sqlite3
from typing import ClassVar

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph


class Assistant:
    replies: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.llm = ChatOpenAI(model="gpt-4o-mini")

    def reply(self, state: MessagesState) -> dict:
        question = " ".join(state["messages"][-1].content.lower().split())
        if question not in self.replies:
            prompt = SystemMessage("[answer] Answer the user.")
            said = self.llm.invoke([prompt, *state["messages"]])
            self.replies[question] = said.content
        return {"messages": [AIMessage(self.replies[question])]}


builder = StateGraph(MessagesState)
builder.add_node("reply", Assistant().reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(
    os.environ["CHECKPOINT_DB"], check_same_thread=False, timeout=30
)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
