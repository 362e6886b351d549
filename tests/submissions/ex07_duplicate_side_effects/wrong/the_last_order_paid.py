"""When the ledger fails, `pay` answers with the thread's state: the order before.

Caught by: twice_for_two
"""

import logging
import os
import sqlite3
from typing import TypedDict

import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

log = logging.getLogger(__name__)
ledger = httpx.Client(base_url=os.environ["LEDGER_URL"], timeout=3.0)


class State(TypedDict, total=False):
    order_id: str
    amount: str
    charge_id: str
    status: str


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


def report(state: dict) -> dict:
    return {
        "status": state.get("status", "pending"),
        "charge_id": state.get("charge_id"),
    }


def _run(thread_id: str, given: dict | None) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    try:
        return report(graph.invoke(given, config, durability="sync"))
    except httpx.HTTPError as error:
        log.warning("the ledger failed: %r", error)
        return report(graph.get_state(config).values)


def pay(thread_id: str, order_id: str, amount: str) -> dict:
    return _run(thread_id, {"order_id": order_id, "amount": amount})


def resume(thread_id: str) -> dict:
    return _run(thread_id, None)
