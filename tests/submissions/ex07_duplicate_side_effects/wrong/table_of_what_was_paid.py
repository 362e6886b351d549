"""A shared table of paid orders, written after the charge: a kill comes between.

Caught by: once_after_a_kill, once_at_once, once_in_the_end
"""

from pathlib import Path
from contextlib import closing
import os
import sqlite3
from typing import TypedDict

import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

ledger = httpx.Client(base_url=os.environ["LEDGER_URL"], timeout=3.0)

PAID = Path(os.environ["CHECKPOINT_DB"]).with_name("paid.db")


class State(TypedDict, total=False):
    order_id: str
    amount: str
    charge_id: str
    status: str


def known(order_id: str, charge_id: str | None = None) -> str | None:
    with closing(sqlite3.connect(PAID, timeout=10)) as paid, paid:
        paid.execute("CREATE TABLE IF NOT EXISTS paid (order_id PRIMARY KEY, charge)")
        if charge_id:
            row = (order_id, charge_id)
            paid.execute("INSERT OR REPLACE INTO paid VALUES (?, ?)", row)
        query = "SELECT charge FROM paid WHERE order_id = ?"
        found = paid.execute(query, (order_id,)).fetchone()
        return found and found[0]


def charge(state: State) -> dict:
    before = known(state["order_id"])
    if before:
        return {"charge_id": before}
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    response = ledger.post("/charges", json=order)
    response.raise_for_status()
    return {"charge_id": known(state["order_id"], response.json()["id"])}


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
