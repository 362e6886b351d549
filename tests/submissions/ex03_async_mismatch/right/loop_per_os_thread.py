"""Each OS thread of the server keeps a loop, a client and a saver of its own."""

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
import aiosqlite
import asyncio
import httpx
import os
import threading


class Question(BaseModel):
    thread_id: str
    question: str


api = FastAPI()


own = threading.local()


async def prepare() -> None:
    own.llm = ChatOpenAI(model="gpt-4o-mini", http_async_client=httpx.AsyncClient())
    database = await aiosqlite.connect(os.environ["CHECKPOINT_DB"])
    own.graph = builder.compile(checkpointer=AsyncSqliteSaver(database))


async def answer(state: MessagesState) -> dict:
    return {"messages": [await own.llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)


@api.post("/ask")
def ask(body: Question) -> dict:
    if not hasattr(own, "loop"):
        own.loop = asyncio.new_event_loop()
        own.loop.run_until_complete(prepare())
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    result = own.loop.run_until_complete(own.graph.ainvoke(turn, config))
    return {"answer": result["messages"][-1].content}
