"""Every error of the ledger is swallowed, and the order said to be paid.

Caught by: twice_for_two, once_in_the_end
"""

import os
import sqlite3
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


def charge(state: State) -> dict:
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    headers = {"Idempotency-Key": f"charge-{state['order_id']}"}
    try:
        response = ledger.post("/charges", json=order, headers=headers)
        return {"charge_id": response.json()["id"]}
    except (httpx.HTTPError, KeyError):
        return {"charge_id": "pending"}


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
