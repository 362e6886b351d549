"""One module, plain functions: FastAPI runs them in OS threads, with a pool for these."""

import os
from typing import Literal

import httpx
from fastapi import FastAPI, HTTPException
from langchain_core.messages import AIMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from openai import OpenAIError
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool
from pydantic import BaseModel

pool = ConnectionPool(
    os.environ["DATABASE_URL"],
    kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
    min_size=1,
    max_size=2,
    check=ConnectionPool.check_connection,
    open=True,
)
llm = ChatOpenAI(model="gpt-4o-mini", max_retries=0)
ledger = httpx.Client(base_url=os.environ["LEDGER_URL"])


class State(MessagesState):
    order: dict | None
    tries: int
    charge_id: str | None


def reply(state: State) -> Command[Literal["reply", "pay"]]:
    prompt = SystemMessage("[reply] Say `settled` or `needs more` first.")
    said = llm.invoke([prompt, *state["messages"]])
    tries = state["tries"] + 1
    again = said.text.startswith("needs more") and tries < 3
    update = {"messages": [said], "tries": tries}
    return Command(goto="reply" if again else "pay", update=update)


def pay(state: State) -> dict:
    if not state["order"]:
        return {"charge_id": None}
    key = {"Idempotency-Key": state["order"]["order_id"]}
    charged = ledger.post("/charges", json=state["order"], headers=key)
    return {"charge_id": charged.raise_for_status().json()["id"]}


builder = StateGraph(State)
builder.add_node(reply)
builder.add_node(pay)
builder.add_edge(START, "reply")
builder.add_edge("pay", END)
graph = builder.compile(checkpointer=PostgresSaver(pool))
api = FastAPI()


class Turn(BaseModel):
    thread_id: str
    user_id: str
    text: str
    order_id: str | None = None
    amount: str | None = None


@api.get("/health")
def health() -> dict:
    return {"status": "ok"}


@api.post("/chat")
def chat(turn: Turn) -> dict:
    order = turn.model_dump(include={"order_id", "amount"}) if turn.order_id else None
    start = {"messages": [("user", turn.text)], "order": order, "tries": 0}
    try:
        config = {"configurable": {"thread_id": turn.thread_id}}
        state = graph.invoke(start, config)
    except (OpenAIError, httpx.HTTPError) as problem:
        raise HTTPException(503, str(problem) or "no answer") from problem
    answer: AIMessage = state["messages"][-1]
    return {
        "user_id": turn.user_id,
        "answer": answer.content,
        "complete": answer.content.startswith("settled"),
        "charge_id": state["charge_id"],
    }
