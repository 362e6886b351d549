"""A lock that all processes share, and a look at the ledger in place of a key.

Caught by: once_in_the_end
"""

import fcntl
import os
import sqlite3
from typing import TypedDict

import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

ledger = httpx.Client(base_url=os.environ["LEDGER_URL"], timeout=3.0)
LOCK = os.environ["CHECKPOINT_DB"] + ".charging"


class State(TypedDict, total=False):
    order_id: str
    amount: str
    charge_id: str
    status: str


def charge(state: State) -> dict:
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed
        params = {"order_id": state["order_id"]}
        known = ledger.get("/charges", params=params)
        known.raise_for_status()
        if found := known.json()["data"]:
            return {"charge_id": found[0]["id"]}
        response = ledger.post("/charges", json=order)
        response.raise_for_status()
        return {"charge_id": response.json()["id"]}


def receipt(state: State) -> dict:
    return {"status": "paid"}


builder = StateGraph(State)
builder.add_sequence([charge, receipt])
builder.add_edge(START, "charge")
builder.add_edge("receipt", END)
connection = sqlite3.connect(
    os.environ["CHECKPOINT_DB"], timeout=30, check_same_thread=False
)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def run(thread_id: str, given: dict | None) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    state = graph.invoke(given, config, durability="sync")
    return {"status": state["status"], "charge_id": state["charge_id"]}


def pay(thread_id: str, order_id: str, amount: str) -> dict:
    return run(thread_id, {"order_id": order_id, "amount": amount})


def resume(thread_id: str) -> dict:
    return run(thread_id, None)
