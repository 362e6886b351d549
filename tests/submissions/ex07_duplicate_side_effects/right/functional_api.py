"""The same with the functional API: a task charges, and its key is the order's."""

import os
import sqlite3

import httpx
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.func import entrypoint, task

connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)


@task
def charge(order: dict) -> str:
    headers = {"Idempotency-Key": f"charge-{order['order_id']}"}
    url = os.environ["LEDGER_URL"] + "/charges"
    response = httpx.post(url, json=order, headers=headers, timeout=3.0)
    response.raise_for_status()
    return response.json()["id"]


@entrypoint(checkpointer=SqliteSaver(connection))
def payment(order: dict) -> dict:
    return {"status": "paid", "charge_id": charge(order).result()}


def pay(thread_id: str, order_id: str, amount: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    return payment.invoke({"order_id": order_id, "amount": amount}, config)


def resume(thread_id: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    return payment.invoke(None, config)
