"""A dead connection has the whole pool renewed, once in the life of a process.

Caught by: outlives_connections
"""

from functools import lru_cache
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

url = os.environ["DATABASE_URL"]
llm = ChatOpenAI(model="gpt-4o-mini")


def make_tables() -> None:
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as own:
        while not own.execute("SELECT pg_try_advisory_lock(909) AS ok").fetchone()[
            "ok"
        ]:
            time.sleep(0.1)
        PostgresSaver(own).setup()
        own.execute("SELECT pg_advisory_unlock(909)")


make_tables()


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

pool = ConnectionPool(
    url,
    min_size=4,
    max_size=4,
    open=True,
    kwargs={"autocommit": True, "row_factory": dict_row},
)
pool.wait()
graph = builder.compile(checkpointer=PostgresSaver(pool))


@lru_cache(maxsize=1)
def renew() -> None:
    """All connections are dead at once or not at all; the first who sees it renews them."""
    pool.check()


def ensure_connected() -> None:
    try:
        with pool.connection() as conn:
            conn.execute("SELECT 1")
    except psycopg.OperationalError:
        renew()


def run(given: dict | None, thread_id: str) -> str:
    ensure_connected()
    config = {"configurable": {"thread_id": thread_id}}
    return graph.invoke(given, config, durability="sync")["messages"][-1].content


def chat(thread_id: str, text: str) -> str:
    return run({"messages": [("user", text)]}, thread_id)


def resume(thread_id: str) -> str:
    return run(None, thread_id)
