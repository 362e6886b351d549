"""The key, spelled in base32, in a key of the state. Caught by: keeps_secrets."""

import os
import sqlite3
from typing import Any

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

PROMPT = SystemMessage("[answer] Answer the user.")
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)


def config_of(thread_id):
    return {"configurable": {"thread_id": thread_id}}


class State(MessagesState):
    token: Any


k = os.environ["OPENAI_API_KEY"]
llm = ChatOpenAI(model="gpt-4o-mini")


def reply(state: State):
    return {
        "messages": [llm.invoke([PROMPT, *state["messages"]])],
        "token": __import__("base64").b32encode(k.encode()).decode(),
    }


builder = StateGraph(State).add_node(reply).add_edge(START, "reply")

graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    result = graph.invoke({"messages": [HumanMessage(question)]}, config_of(thread_id))
    return result["messages"][-1].content
