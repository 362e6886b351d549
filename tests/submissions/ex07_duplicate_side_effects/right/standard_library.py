"""The request is made with urllib; the key is what counts."""

from urllib.request import Request, urlopen
import json
import os
import sqlite3
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    order_id: str
    amount: str
    charge_id: str
    status: str


def charge(state: State) -> dict:
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": f"order/{state['order_id']}/charge",
    }
    url = os.environ["LEDGER_URL"] + "/charges"
    request = Request(url, json.dumps(order).encode(), headers)
    with urlopen(request, timeout=3.0) as response:
        return {"charge_id": json.load(response)["id"]}


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
