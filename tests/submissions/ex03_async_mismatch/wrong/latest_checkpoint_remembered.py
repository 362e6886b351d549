"""The latest checkpoint of a thread is kept in memory, to spare a read.

What the thread was told on another server meanwhile is lost when it comes back.

Caught by: crosses_processes
"""

import os
from contextlib import asynccontextmanager

import aiosqlite
from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.base import CheckpointTuple, get_checkpoint_id
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel

llm = ChatOpenAI(model="gpt-4o-mini")


class Question(BaseModel):
    thread_id: str
    question: str


class ReadOnceSaver(AsyncSqliteSaver):
    """Reads a thread from the file once; afterwards it knows what it wrote itself."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        super().__init__(connection)
        self.latest: dict[str, tuple] = {}

    async def aget_tuple(self, config):
        thread_id = str(config["configurable"]["thread_id"])
        if get_checkpoint_id(config) or thread_id not in self.latest:
            return await super().aget_tuple(config)
        where, stored, metadata, parent = self.latest[thread_id]
        return CheckpointTuple(
            where, self.serde.loads_typed(stored), metadata, parent, []
        )

    async def aput(self, config, checkpoint, metadata, new_versions):
        stored = self.serde.dumps_typed(checkpoint)
        where = await super().aput(config, checkpoint, metadata, new_versions)
        thread_id = str(config["configurable"]["thread_id"])
        parent = config if get_checkpoint_id(config) else None
        self.latest[thread_id] = (where, stored, metadata, parent)
        return where


async def answer(state: MessagesState) -> dict:
    return {"messages": [await llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with aiosqlite.connect(os.environ["CHECKPOINT_DB"], timeout=30) as connection:
        app.state.graph = builder.compile(checkpointer=ReadOnceSaver(connection))
        yield


api = FastAPI(lifespan=lifespan)


@api.post("/ask")
async def ask(body: Question) -> dict:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    result = await api.state.graph.ainvoke(turn, config)
    return {"answer": result["messages"][-1].content}
