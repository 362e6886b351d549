"""An async node and an async client, each with a loop of one request."""

import asyncio
import os
from typing import TypedDict

import httpx
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict, total=False):
    order_id: str
    amount: str
    charge_id: str


async def charge(state: State) -> dict:
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    headers = {"Idempotency-Key": f"charge-{state['order_id']}"}
    async with httpx.AsyncClient(
        base_url=os.environ["LEDGER_URL"], timeout=3.0
    ) as ledger:
        response = await ledger.post("/charges", json=order, headers=headers)
    response.raise_for_status()
    return {"charge_id": response.json()["id"]}


builder = StateGraph(State)
builder.add_node("charge", charge)
builder.add_edge(START, "charge")
builder.add_edge("charge", END)


async def run(order: dict | None, thread_id: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    async with AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:
        graph = builder.compile(checkpointer=saver)
        state = await graph.ainvoke(order, config)
    return {"status": "paid", "charge_id": state["charge_id"]}


def pay(thread_id: str, order_id: str, amount: str) -> dict:
    return asyncio.run(run({"order_id": order_id, "amount": amount}, thread_id))


def resume(thread_id: str) -> dict:
    return asyncio.run(run(None, thread_id))
