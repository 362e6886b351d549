"""The model comes to the nodes in the runtime's context."""

import os
import sqlite3
from dataclasses import dataclass
from typing import Annotated

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.runtime import Runtime
from typing_extensions import TypedDict


@dataclass
class Context:
    llm: ChatOpenAI


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    draft: str


def draft(state: State, runtime: Runtime[Context]) -> dict:
    prompt = SystemMessage("[draft] Answer the user.")
    return {"draft": runtime.context.llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State, runtime: Runtime[Context]) -> dict:
    prompt = SystemMessage("[polish] Improve this answer.")
    answer = runtime.context.llm.invoke([prompt, HumanMessage(state["draft"])])
    return {"messages": [answer]}


builder = StateGraph(State, context_schema=Context)
builder.add_sequence([draft, polish])
builder.add_edge(START, "draft")
builder.add_edge("polish", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def run(thread_id: str, given: dict | None) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    context = Context(ChatOpenAI(model="gpt-4o-mini"))
    return graph.invoke(given, config, context=context)["messages"][-1].content


def chat(thread_id: str, text: str) -> str:
    return run(thread_id, {"messages": [HumanMessage(text)]})


def resume(thread_id: str) -> str:
    return run(thread_id, None)
