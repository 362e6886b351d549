"""A random key, claimed once for each order in a table that all processes share."""

from pathlib import Path
from contextlib import closing
import uuid
import os
import sqlite3
from typing import TypedDict

import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

ledger = httpx.Client(base_url=os.environ["LEDGER_URL"], timeout=3.0)

KEYS = Path(os.environ["CHECKPOINT_DB"]).with_name("keys.db")


class State(TypedDict, total=False):
    order_id: str
    amount: str
    charge_id: str
    status: str


def key_of(order_id: str) -> str:
    # Of two processes that claim an order at once, one loses, and reads the winner's.
    with closing(sqlite3.connect(KEYS, timeout=10)) as keys, keys:
        keys.execute("CREATE TABLE IF NOT EXISTS keys (order_id PRIMARY KEY, key)")
        row = (order_id, str(uuid.uuid4()))
        keys.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", row)
        found = keys.execute("SELECT key FROM keys WHERE order_id = ?", row[:1])
        return found.fetchone()[0]


def charge(state: State) -> dict:
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    headers = {"Idempotency-Key": key_of(state["order_id"])}
    response = ledger.post("/charges", json=order, headers=headers)
    response.raise_for_status()
    return {"charge_id": response.json()["id"]}


def receipt(state: State) -> dict:
    return {"status": "paid"}


builder = StateGraph(State)
builder.add_node("charge", charge)
builder.add_node("receipt", receipt)
builder.add_edge(START, "charge")
builder.add_edge("charge", "receipt")
builder.add_edge("receipt", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def report(state: dict) -> dict:
    return {"status": state["status"], "charge_id": state["charge_id"]}


def pay(thread_id: str, order_id: str, amount: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    order = {"order_id": order_id, "amount": amount}
    return report(graph.invoke(order, config))


def resume(thread_id: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    return report(graph.invoke(None, config))
