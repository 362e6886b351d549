"""Whatever is open on the thread is paid first, and taken for the order that was asked for.

Caught by: twice_for_two
"""

import os
import sqlite3
import time
import uuid
import datetime
from typing import TypedDict

import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

ledger = httpx.Client(base_url=os.environ["LEDGER_URL"], timeout=3.0)


class State(TypedDict, total=False):
    order_id: str
    amount: str
    charge_id: str
    status: str
    key: str
    key_for: str


def charge(state: State) -> dict:
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    response = ledger.post(
        "/charges", json=order, headers={"Idempotency-Key": state["order_id"]}
    )
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


def report(state: State) -> dict:
    return {"status": state["status"], "charge_id": state["charge_id"]}


def pay(thread_id: str, order_id: str, amount: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    if graph.get_state(
        config
    ).next:  # an attempt before this one was cut off: go on with it
        return resume(thread_id)
    return report(
        graph.invoke(
            {"order_id": order_id, "amount": amount}, config, durability="sync"
        )
    )


def resume(thread_id: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    return report(graph.invoke(None, config, durability="sync"))
