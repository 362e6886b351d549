"""One handler answers every exception that nobody has caught, with a reason."""

# === module: settings.py ===
import os

MODEL = "gpt-4o-mini"
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
    # The saver uses one connection at a time, and after a failover each dead one costs
    # a pool more time than the one before.
    sizes = {"min_size": 1, "max_size": 2, "open": False}
    sizes["check"] = AsyncConnectionPool.check_connection
    async with AsyncConnectionPool(URL, kwargs=OPTIONS, **sizes) as pool:
        await pool.wait()
        yield AsyncPostgresSaver(pool)


def conversation(thread_id, state):
    return state["messages"]


# === module: customers.py ===
async def recall(state):
    return {"user_id": state["user_id"]}


def customer(state):
    return state["user_id"]


# === module: payments.py ===
import os

import httpx
from settings import EFFECTS


async def charge(state):
    if state["order_id"] is None:
        return {"charge_id": None}
    if EFFECTS == "off":
        return {"charge_id": "ch_stub"}
    order = {"order_id": state["order_id"], "amount": state["amount"]}
    headers = {"Idempotency-Key": f"order-{state['order_id']}"}
    async with httpx.AsyncClient(base_url=os.environ["LEDGER_URL"]) as ledger:
        response = await ledger.post("/charges", json=order, headers=headers)
    response.raise_for_status()
    return {"charge_id": response.json()["id"]}


# === module: agent.py ===
import customers
import payments
from langchain_core.messages import SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph
from settings import MODEL, NODES
from storage import conversation

llm = ChatOpenAI(model=MODEL, max_retries=0)


class State(MessagesState):
    user_id: str
    order_id: str | None
    amount: str | None
    charge_id: str | None
    attempts: int


async def think(state, config):
    prompt = SystemMessage("[reply] Say `settled` or `needs more` first.")
    seen = conversation(config["configurable"]["thread_id"], state)
    said = await llm.ainvoke([prompt, *seen])
    return {"messages": [said], "attempts": state["attempts"] + 1}


def unsettled(state):
    more = state["messages"][-1].content.startswith("needs more")
    return more and state["attempts"] < 3


def build(saver):
    builder = StateGraph(State)
    steps = {"recall": customers.recall, "think": think, "charge": payments.charge}
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
from contextlib import asynccontextmanager

from agent import build
from customers import customer
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
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
        api.state.graph = build(saver)
        yield


api = FastAPI(lifespan=lifespan)


@api.exception_handler(Exception)
async def failed(request, problem):
    return JSONResponse({"detail": f"{type(problem).__name__}: send it again"}, 503)


@api.get("/health")
async def health():
    return {"status": "ok"}


@api.post("/chat")
async def chat(turn: Turn):
    config = {"configurable": {"thread_id": turn.thread_id}}
    start = {"messages": [("user", turn.text)], "user_id": turn.user_id}
    start |= {"order_id": turn.order_id, "amount": turn.amount, "attempts": 0}
    state = await api.state.graph.ainvoke(start, config)
    answer = state["messages"][-1].content
    return {
        "user_id": customer(state),
        "answer": answer,
        "complete": answer.startswith("settled"),
        "charge_id": state.get("charge_id"),
    }
