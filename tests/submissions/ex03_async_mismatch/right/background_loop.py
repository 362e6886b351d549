"""A loop of our own in one OS thread, for as long as the process lives."""

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
import aiosqlite
import asyncio
import os
import threading

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


loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


async def compiled():
    database = aiosqlite.connect(os.environ["CHECKPOINT_DB"])
    return builder.compile(checkpointer=AsyncSqliteSaver(database))


graph = asyncio.run_coroutine_threadsafe(compiled(), loop).result()
api = FastAPI()


@api.post("/ask")
def ask(body: Question) -> dict:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    run = asyncio.run_coroutine_threadsafe(graph.ainvoke(turn, config), loop)
    return {"answer": run.result()["messages"][-1].content}
