"""The settings of the model in state, as `model_dump` gives them.

Caught by: stores_data, keeps_secrets
"""

import os
import sqlite3
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    settings: dict[str, Any]


def configure(state: State) -> dict:
    llm = ChatOpenAI(model="gpt-4o-mini")
    wanted = {"model_name", "openai_api_key"}
    return {"settings": llm.model_dump(include=wanted)}


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    key = state["settings"]["openai_api_key"].get_secret_value()
    llm = ChatOpenAI(model=state["settings"]["model_name"], api_key=key)
    return {"messages": [llm.invoke([prompt, *state["messages"]])]}


builder = StateGraph(State)
builder.add_node("configure", configure)
builder.add_node("reply", reply)
builder.add_edge(START, "configure")
builder.add_edge("configure", "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
