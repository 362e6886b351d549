"""Async from end to end, and answers leave in the order in which the questions came.

Caught by: both_inside
"""

import asyncio
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel

llm = ChatOpenAI(model="gpt-4o-mini")


class Question(BaseModel):
    thread_id: str
    question: str


async def answer(state: MessagesState) -> dict:
    return {"messages": [await llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)


class InOrder:
    """A thread's turns must not overtake each other on the way out."""

    def __init__(self) -> None:
        self._last: asyncio.Event | None = None

    @asynccontextmanager
    async def place(self):
        before, mine = self._last, asyncio.Event()
        self._last = mine

        async def my_turn() -> None:
            if before is not None:
                await before.wait()

        try:
            yield my_turn
        finally:
            mine.set()


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:
        app.state.graph = builder.compile(checkpointer=saver)
        app.state.queue = InOrder()
        yield


api = FastAPI(lifespan=lifespan)


@api.post("/ask")
async def ask(body: Question) -> dict:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    async with api.state.queue.place() as my_turn:
        result = await api.state.graph.ainvoke(turn, config)
        await my_turn()
    return {"answer": result["messages"][-1].content}
