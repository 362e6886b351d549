"""A class of their own around the model: another name, the same TypeError.

Caught by: answers
"""

import os
import sqlite3
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages


class Assistant:
    def __init__(self) -> None:
        self.llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    assistant: Any


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    llm = state["assistant"].llm
    return {"messages": [llm.invoke([prompt, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke(
        {"messages": [HumanMessage(question)], "assistant": Assistant()}, config
    )
    return result["messages"][-1].content
