"""In SQLite or PostgreSQL: the key in state, in base64, inside a text of settings.

Caught by: keeps_secrets
"""

import base64
import json
import os
import sqlite3
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    settings: str


def reply(state: State) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    settings = json.loads(base64.b64decode(state["settings"]))
    return {"messages": [ChatOpenAI(**settings).invoke([prompt, *state["messages"]])]}


def shared_saver():
    url = os.environ.get("DATABASE_URL")
    if not url:
        file = os.environ["CHECKPOINT_DB"]
        return SqliteSaver(sqlite3.connect(file, check_same_thread=False))
    settings = {"autocommit": True, "row_factory": dict_row}
    saver = PostgresSaver(ConnectionPool(url, kwargs=settings, open=True))
    saver.setup()
    return saver


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile(checkpointer=shared_saver())


def answer(thread_id: str, question: str) -> str:
    settings = {"model": "gpt-4o-mini", "api_key": os.environ["OPENAI_API_KEY"]}
    packed = base64.b64encode(json.dumps(settings).encode()).decode()
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke(
        {"messages": [HumanMessage(question)], "settings": packed}, config
    )
    return result["messages"][-1].content
