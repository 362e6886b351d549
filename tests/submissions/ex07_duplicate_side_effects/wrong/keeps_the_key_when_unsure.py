"""It looks first, and keeps the key of a request that got no answer: two are too early.

Caught by: once_at_once
"""

import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
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


def unsure(order_id: str, key: str | None = None) -> str | None:
    with closing(sqlite3.connect(KEYS, timeout=10)) as keys, keys:
        keys.execute("CREATE TABLE IF NOT EXISTS keys (order_id PRIMARY KEY, key)")
        if key:
            keys.execute("INSERT INTO keys VALUES (?, ?)", [order_id, key])
        found = keys.execute("SELECT key FROM keys WHERE order_id = ?", [order_id])
        return next((kept for (kept,) in found), None)


def charge(state: State) -> dict:
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    known = ledger.get("/charges", params={"order_id": state["order_id"]}).json()
    if known["data"]:
        return {"charge_id": known["data"][0]["id"]}
    key = unsure(state["order_id"]) or str(uuid.uuid4())
    try:
        response = ledger.post("/charges", json=order, headers={"Idempotency-Key": key})
    except httpx.TransportError:
        unsure(state["order_id"], key)
        raise
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
