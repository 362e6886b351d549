"""AsyncPostgresSaver on a loop of its own; one process migrates, the others ask whether it has."""

import asyncio
import os
import threading
from dataclasses import dataclass, field
from typing import Annotated, Any, Coroutine

import psycopg
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

KEY = 0x09_0D_0B


@dataclass
class Conversation:
    messages: Annotated[list[AnyMessage], add_messages] = field(default_factory=list)
    sketches: list[str] = field(default_factory=list)


class Service:
    def __init__(self, url: str) -> None:
        self.url = url
        self.loop = asyncio.new_event_loop()
        threading.Thread(
            target=self.loop.run_forever, name="chat-loop", daemon=True
        ).start()
        self.graph = self.wait(self.open())

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    async def open(self):
        self.llm = ChatOpenAI(model="gpt-4o-mini")
        self.pool = AsyncConnectionPool(
            self.url,
            min_size=1,
            max_size=3,
            open=False,
            check=AsyncConnectionPool.check_connection,
            kwargs={"autocommit": True, "row_factory": dict_row},
        )
        await self.pool.open()
        saver = AsyncPostgresSaver(self.pool)
        await self.prepare(saver)
        builder = StateGraph(Conversation)
        builder.add_node("drafts", self.draft)
        builder.add_node("polishes", self.polish)
        builder.add_edge(START, "drafts")
        builder.add_edge("drafts", "polishes")
        return builder.compile(checkpointer=saver)

    async def prepare(self, saver: AsyncPostgresSaver) -> None:
        newest = len(saver.MIGRATIONS) - 1
        async with await psycopg.AsyncConnection.connect(
            self.url, autocommit=True
        ) as conn:

            async def ask(sql: str, *args: Any) -> Any:
                return (await (await conn.execute(sql, args)).fetchone())[0]

            while True:
                if await ask("SELECT to_regclass('checkpoint_migrations')::text") and (
                    await ask("SELECT max(v) FROM checkpoint_migrations") == newest
                ):
                    return
                if await ask("SELECT pg_try_advisory_lock(%s)", KEY):
                    try:
                        await saver.setup()
                    finally:
                        await ask("SELECT pg_advisory_unlock(%s)", KEY)
                    return
                await asyncio.sleep(0.05)

    async def draft(self, state: Conversation) -> dict:
        prompt = SystemMessage("[draft] Answer the user.")
        return {
            "sketches": [(await self.llm.ainvoke([prompt, *state.messages])).content]
        }

    async def polish(self, state: Conversation) -> dict:
        return {"messages": [await self.llm.ainvoke(f"[polish] {state.sketches[-1]}")]}

    async def run(self, thread_id: str, given: dict | None) -> str:
        config = {"configurable": {"thread_id": thread_id}}
        state = await self.graph.ainvoke(given, config)
        return state["messages"][-1].content


service = Service(os.environ["DATABASE_URL"])


def chat(thread_id: str, text: str) -> str:
    return service.wait(service.run(thread_id, {"messages": [HumanMessage(text)]}))


def resume(thread_id: str) -> str:
    return service.wait(service.run(thread_id, None))
