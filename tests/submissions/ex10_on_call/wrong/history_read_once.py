"""Each server reads a conversation once, and then adds what it hears itself.

Caught by: no_lost_turn
"""

# === module: settings.py ===
import os

MODEL = "gpt-4o-mini"
TRIES = 3
SECONDS = 3.5
# The switches of whoever is on call.
EFFECTS = os.environ.get("EFFECTS", "on")
NODES = os.environ.get("NODES", "recall,think,charge").split(",")


# === module: storage.py ===
import os
from contextlib import asynccontextmanager

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

URL = os.environ["DATABASE_URL"]
OPTIONS = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}


@asynccontextmanager
async def opened():
    sizes = {"min_size": 1, "max_size": 2, "open": False, "timeout": 2.5}
    sizes["check"] = AsyncConnectionPool.check_connection
    async with AsyncConnectionPool(URL, kwargs=OPTIONS, **sizes) as pool:
        await pool.wait()
        yield AsyncPostgresSaver(pool)


# === module: customers.py ===
async def recall(state):
    return {"attempts": 0}


def customer(state):
    return state["user_id"]


# === module: payments.py ===
import asyncio
import os
from uuid import NAMESPACE_URL, uuid5

import httpx
from settings import EFFECTS


async def charge(state):
    if state["order_id"] is None:
        return {"charge_id": None}
    if EFFECTS == "off":
        return {"charge_id": "ch_stub"}
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    headers = {
        "Idempotency-Key": str(uuid5(NAMESPACE_URL, f"order:{state['order_id']}"))
    }
    url = os.environ["LEDGER_URL"]
    async with httpx.AsyncClient(base_url=url, timeout=3.0) as ledger:
        for pause in (0.1, 0.3, 0.5, None):
            try:
                response = await ledger.post("/charges", json=order, headers=headers)
                response.raise_for_status()
                return {"charge_id": response.json()["id"]}
            except httpx.HTTPError:
                if pause is None:
                    raise
            await asyncio.sleep(pause)


# === module: recent.py ===
from collections import OrderedDict

MOST = 1000
threads = OrderedDict()


def conversation(thread_id, stored):
    """The messages of a thread: stored ones the first time, then what has come since."""
    if thread_id in threads:
        threads.move_to_end(thread_id)
        threads[thread_id].append(stored[-1])
    else:
        threads[thread_id] = list(stored)
        if len(threads) > MOST:
            threads.popitem(last=False)
    return list(threads[thread_id])


# === module: agent.py ===
import customers
import payments
from langchain_core.messages import SystemMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, MessagesState, StateGraph
from recent import conversation
from settings import NODES, TRIES


class State(MessagesState):
    user_id: str
    order_id: str | None
    amount: str | None
    charge_id: str | None
    attempts: int


class ModelFailed(Exception):
    pass


def thinking(llm):
    async def think(state: State, config: RunnableConfig):
        prompt = SystemMessage("[reply] Say `settled` or `needs more` first.")
        thread_id = config["configurable"]["thread_id"]
        seen = conversation(thread_id, state["messages"])
        try:
            said = await llm.ainvoke([prompt, *seen])
        except Exception as problem:
            raise ModelFailed(type(problem).__name__) from None
        return {"messages": [said], "attempts": state["attempts"] + 1}

    return think


def unsettled(state):
    more = state["messages"][-1].content.startswith("needs more")
    return more and state["attempts"] < TRIES


def build(saver, llm):
    builder = StateGraph(State)
    steps = {"recall": customers.recall, "think": thinking(llm)}
    steps["charge"] = payments.charge
    names = [name for name in steps if name in NODES]
    for name in names:
        builder.add_node(name, steps[name])
    for name, following in zip([START, *names], [*names, END], strict=True):
        if name == "think":
            ways = {True: "think", False: following}
            builder.add_conditional_edges("think", unsettled, ways)
        else:
            builder.add_edge(name, following)
    return builder.compile(checkpointer=saver)


# === module: app.py ===
import asyncio
from contextlib import asynccontextmanager

import httpx
import psycopg
from agent import ModelFailed, build
from customers import customer
from fastapi import FastAPI, HTTPException
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from settings import MODEL, SECONDS
from storage import opened


class Turn(BaseModel):
    thread_id: str
    user_id: str
    text: str
    order_id: str | None = None
    amount: str | None = None


@asynccontextmanager
async def lifespan(api):
    async with opened() as saver:
        api.state.graph = build(saver, ChatOpenAI(model=MODEL, max_retries=0))
        yield


api = FastAPI(lifespan=lifespan)


@api.get("/health")
async def health():
    return {"status": "ok"}


@api.post("/chat")
async def chat(turn: Turn):
    config = {"configurable": {"thread_id": turn.thread_id}}
    start = {"messages": [("user", turn.text)], "user_id": turn.user_id, "attempts": 0}
    start |= {"order_id": turn.order_id, "amount": turn.amount, "charge_id": None}
    try:
        async with asyncio.timeout(SECONDS):
            state = await api.state.graph.ainvoke(start, config)
    except (ModelFailed, httpx.HTTPError, psycopg.Error, TimeoutError) as problem:
        reason = f"{type(problem).__name__}: send it again"
        raise HTTPException(503, reason) from problem
    answer = state["messages"][-1].content
    return {
        "user_id": customer(state),
        "answer": answer,
        "complete": answer.startswith("settled"),
        "charge_id": state["charge_id"],
    }
