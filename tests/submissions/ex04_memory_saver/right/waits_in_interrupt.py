"""One run that never ends, and waits in `interrupt` for the next turn."""

import os
import sqlite3
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt

llm = ChatOpenAI(model="gpt-4o-mini", timeout=60)


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    sketch: AnyMessage


def compose(state: State) -> dict:
    prompt = SystemMessage("[draft] Answer the last message, mind the earlier ones.")
    return {"sketch": llm.invoke([prompt, *state["messages"]])}


def revise(state: State) -> dict:
    prompt = SystemMessage(
        "[polish] The user asked something and a colleague wrote an answer. "
        "Give back a better answer, and nothing else."
    )
    asked = [prompt, state["messages"][-1], state["sketch"], ("user", "Improve that.")]
    return {"messages": [llm.invoke(asked)]}


def listen(state: State) -> dict:
    return {"messages": [HumanMessage(interrupt("your turn"))]}


builder = StateGraph(State)
builder.add_node("compose", compose)
builder.add_node("revise", revise)
builder.add_node("listen", listen)
builder.add_edge(START, "compose")
builder.add_edge("compose", "revise")
builder.add_edge("revise", "listen")
builder.add_edge("listen", "compose")
connection = sqlite3.connect(
    os.environ["CHECKPOINT_DB"], timeout=30, check_same_thread=False
)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def chat(thread_id: str, text: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    found = graph.get_state(config)
    if found.next and not found.interrupts:  # cut off before: finish that turn first
        graph.invoke(None, config)
        found = graph.get_state(config)
    if found.interrupts:
        given = Command(resume=text)
    else:
        given = {"messages": [HumanMessage(text)]}
    return graph.invoke(given, config)["messages"][-1].content


def resume(thread_id: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    return graph.invoke(None, config)["messages"][-1].content
