"""Calls queue at a file lock while one of them charges, with the order as the key."""

import fcntl
import hashlib
import os
import sqlite3
import uuid
from typing import TypedDict

import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

PATH = os.environ["CHECKPOINT_DB"]
ledger = httpx.Client(base_url=os.environ["LEDGER_URL"], timeout=3.0)


class State(TypedDict, total=False):
    order_id: str
    amount: str
    charge_id: str
    status: str


def charge(state: State) -> dict:
    name = hashlib.sha256(state["order_id"].encode()).hexdigest()
    with open(f"{PATH}.{name[:16]}.lock", "a") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        response = ledger.post(
            "/charges",
            json={"order_id": state["order_id"], "amount": state["amount"]},
            headers={"Idempotency-Key": name},
        )
    response.raise_for_status()
    return {"charge_id": response.json()["id"], "status": "paid"}


saver = SqliteSaver(sqlite3.connect(PATH, check_same_thread=False, timeout=30))
graph = (
    StateGraph(State)
    .add_node("charge", charge)
    .add_edge(START, "charge")
    .add_edge("charge", END)
    .compile(checkpointer=saver)
)


def run(given, thread_id):
    done = graph.invoke(given, {"configurable": {"thread_id": thread_id}})
    return {"status": done["status"], "charge_id": done["charge_id"]}


def pay(thread_id, order_id, amount):
    return run({"order_id": order_id, "amount": amount}, thread_id)


def resume(thread_id):
    return run(None, thread_id)
