"""Two modules: Starlette, one node with the loop in it, a task that charges."""

# === module: desk.py ===
import os

import httpx
from langchain_openai import ChatOpenAI
from langgraph.func import task
from langgraph.graph import END, START, MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini", max_retries=0)
PROMPT = ("system", "[reply] Say `settled` or `needs more` first.")


class State(MessagesState):
    order: dict
    charge_id: str | None


@task
async def charge(order):
    async with httpx.AsyncClient() as ledger:
        url, key = os.environ["LEDGER_URL"], {"Idempotency-Key": order["order_id"]}
        charged = await ledger.post(f"{url}/charges", json=order, headers=key)
    return charged.raise_for_status().json()["id"]


async def serve(state: State):
    said = []
    for _ in range(3):
        said.append(await llm.ainvoke([PROMPT, *state["messages"], *said]))
        if said[-1].content.startswith("settled"):
            break
    paid = await charge(state["order"]) if state["order"] else None
    return {"messages": said, "charge_id": paid}


builder = StateGraph(State)
builder.add_node(serve)
builder.add_edge(START, "serve")
builder.add_edge("serve", END)


# === module: app.py ===
import os
from contextlib import asynccontextmanager

import desk
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route


@asynccontextmanager
async def lifespan(api):
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(
        os.environ["DATABASE_URL"],
        kwargs=options,
        min_size=1,
        max_size=2,
        check=AsyncConnectionPool.check_connection,
    ) as pool:
        graph = desk.builder.compile(checkpointer=AsyncPostgresSaver(pool))
        yield {"graph": graph}


async def health(request):
    return JSONResponse({"status": "ok"})


async def chat(request):
    turn = await request.json()
    order = {key: turn[key] for key in ("order_id", "amount") if turn.get(key)}
    start = {"messages": [("user", turn["text"])], "order": order}
    config = {"configurable": {"thread_id": turn["thread_id"]}}
    try:
        state = await request.state.graph.ainvoke(start, config, durability="sync")
    except Exception as problem:
        name = type(problem).__name__
        return JSONResponse({"detail": f"{name}: send it again"}, 503)
    answer = state["messages"][-1].content
    report = {"user_id": turn["user_id"], "answer": answer}
    complete = answer.startswith("settled")
    return JSONResponse(
        {**report, "complete": complete, "charge_id": state["charge_id"]}
    )


api = Starlette(
    routes=[Route("/health", health), Route("/chat", chat, methods=["POST"])],
    lifespan=lifespan,
)
