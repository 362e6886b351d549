"""AsyncPostgresSaver and its pool on a loop of their own, which all calls share."""

import asyncio
import os
import threading
from typing import Annotated, Any, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

llm = ChatOpenAI(model="gpt-4o-mini")
LOCK = 4711


class State(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    draft: str


async def draft(state: State) -> dict:
    prompt = ("system", "[draft] Answer the user.")
    said = await llm.ainvoke([prompt, *state["messages"]])
    return {"draft": said.content}


async def polish(state: State) -> dict:
    return {"messages": [await llm.ainvoke(f"[polish] {state['draft']}")]}


async def migrate(pool: AsyncConnectionPool) -> None:
    async with pool.connection() as connection:
        while True:
            question = "SELECT pg_try_advisory_lock(%s) AS mine"
            asked = await connection.execute(question, [LOCK])
            if (await asked.fetchone())["mine"]:
                break
            await asyncio.sleep(0.02)
        try:
            await AsyncPostgresSaver(connection).setup()
        finally:
            await connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


async def opened() -> Any:
    pool = AsyncConnectionPool(
        os.environ["DATABASE_URL"],
        min_size=1,
        max_size=4,
        kwargs={"autocommit": True, "row_factory": dict_row},
        check=AsyncConnectionPool.check_connection,
        open=False,
    )
    await pool.open()
    await migrate(pool)
    builder = StateGraph(State)
    builder.add_node("draft_answer", draft)
    builder.add_node("polish_answer", polish)
    builder.add_edge(START, "draft_answer")
    builder.add_edge("draft_answer", "polish_answer")
    builder.add_edge("polish_answer", END)
    return builder.compile(checkpointer=AsyncPostgresSaver(pool))


loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


def waited(coroutine: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result()


graph = waited(opened())


def configured(thread_id: str) -> dict:
    return {"configurable": {"thread_id": thread_id}}


def chat(thread_id: str, text: str) -> str:
    given = {"messages": [("user", text)]}
    state = waited(graph.ainvoke(given, configured(thread_id)))
    return state["messages"][-1].content


def resume(thread_id: str) -> str:
    state = waited(graph.ainvoke(None, configured(thread_id)))
    return state["messages"][-1].content
