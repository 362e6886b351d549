"""A turn is stored when it looks like a thing to remember: a word, or a name.

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


# === module: memory.py ===
import operator
import re
from typing import Annotated, TypedDict

WORTH = re.compile(
    r"\b(lucky|word|name|names|called|call me|remember)\b", re.IGNORECASE
)


class State(TypedDict):
    facts: Annotated[list[str], operator.add]
    said: list[str]
    text: list[str]
    user_id: str
    order_id: str | None
    amount: str | None
    charge_id: str | None
    attempts: int


async def recall(state: State):
    known = [text for text in state["text"] if WORTH.search(text)]
    return {"facts": known, "said": [], "attempts": 0}


def prompted(state):
    """What the model is shown: the rule, what is known, the question, its replies so far."""
    system = ("system", "[reply] Say `settled` or `needs more` first.")
    known = [("user", fact) for fact in state["facts"] if fact not in state["text"]]
    asked = [("user", text) for text in state["text"]]
    return [system, *known, *asked, *(("assistant", reply) for reply in state["said"])]


# === module: agent.py ===
import payments
from langgraph.graph import END, START, StateGraph
from memory import State, prompted, recall
from settings import NODES, TRIES


class ModelFailed(Exception):
    pass


def thinking(llm):
    async def think(state: State):
        try:
            reply = await llm.ainvoke(prompted(state))
        except Exception as problem:
            raise ModelFailed(type(problem).__name__) from None
        said = [*state["said"], reply.content]
        return {"said": said, "attempts": state["attempts"] + 1}

    return think


def unsettled(state: State):
    more = state["said"][-1].startswith("needs more")
    return more and state["attempts"] < TRIES


def build(saver, llm):
    builder = StateGraph(State)
    steps = {"recall": recall, "think": thinking(llm), "charge": payments.charge}
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
    start = {"text": [turn.text], "said": [], "user_id": turn.user_id, "attempts": 0}
    start |= {"order_id": turn.order_id, "amount": turn.amount, "charge_id": None}
    try:
        async with asyncio.timeout(SECONDS):
            state = await api.state.graph.ainvoke(start, config)
    except (ModelFailed, httpx.HTTPError, psycopg.Error, TimeoutError) as problem:
        reason = f"{type(problem).__name__}: send it again"
        raise HTTPException(503, reason) from problem
    answer = state["said"][-1]
    return {
        "user_id": state["user_id"],
        "answer": answer,
        "complete": answer.startswith("settled"),
        "charge_id": state["charge_id"],
    }
