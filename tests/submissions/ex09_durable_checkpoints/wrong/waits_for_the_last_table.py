"""One migrates; the others wait for the last table, and a migration comes after it.

Caught by: all_start
"""

import os
import time
from typing import Annotated, TypedDict

import psycopg
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

llm = ChatOpenAI(model="gpt-4o-mini")
url = os.environ["DATABASE_URL"]
keep = {"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0}


class State(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    draft: str


def draft(state: State) -> dict:
    prompt = ("system", "[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    return {"messages": [llm.invoke(f"[polish] {state['draft']}")]}


builder = (
    StateGraph(State)
    .add_node("drafts", draft)
    .add_node("polishes", polish)
    .add_edge(START, "drafts")
    .add_edge("drafts", "polishes")
)

with psycopg.connect(url, **keep) as own:
    if own.execute("SELECT pg_try_advisory_lock(90210) AS mine").fetchone()["mine"]:
        PostgresSaver(own).setup()
    else:
        while (
            own.execute("SELECT to_regclass('checkpoint_writes') AS t").fetchone()["t"]
            is None
        ):
            time.sleep(0.05)

pool = ConnectionPool(
    url,
    min_size=1,
    max_size=3,
    kwargs=keep,
    check=ConnectionPool.check_connection,
    open=True,
)
graph = builder.compile(checkpointer=PostgresSaver(pool))


def run(given, thread_id):
    state = graph.invoke(given, {"configurable": {"thread_id": thread_id}})
    return state["messages"][-1].content


def chat(thread_id: str, text: str) -> str:
    return run({"messages": [("user", text)]}, thread_id)


def resume(thread_id: str) -> str:
    return run(None, thread_id)
