"""The model as run-time context, which LangGraph does not store."""

import os
import sqlite3
from dataclasses import dataclass
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime

llm = ChatOpenAI(model="gpt-4o-mini")


@dataclass
class Context:
    llm: ChatOpenAI


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def reply(state: State, runtime: Runtime[Context]) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    answered = runtime.context.llm.invoke([prompt, *state["messages"]])
    return {"messages": [answered]}


builder = StateGraph(State, context_schema=Context)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke(
        {"messages": [HumanMessage(question)]}, config, context=Context(llm)
    )
    return result["messages"][-1].content
