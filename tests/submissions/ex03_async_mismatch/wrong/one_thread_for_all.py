"""Every conversation is the thread of the example that it was copied from.

Caught by: six_in_a_row, crosses_processes
"""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

llm = ChatOpenAI(model="gpt-4o-mini")
DB = os.environ["CHECKPOINT_DB"]


class Question(BaseModel):
    thread_id: str
    question: str


def config_of(body):
    return {"configurable": {"thread_id": body.thread_id}}


def turn_of(body):
    return {"messages": [HumanMessage(body.question)]}


async def answer(state: MessagesState) -> dict:
    return {"messages": [await llm.ainvoke(state["messages"])]}


def answer_sync(state: MessagesState) -> dict:
    return {"messages": [llm.invoke(state["messages"])]}


builder = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer")
plain = (
    StateGraph(MessagesState).add_node("answer", answer_sync).add_edge(START, "answer")
)


@asynccontextmanager
async def lifespan(app):
    async with AsyncSqliteSaver.from_conn_string(DB) as saver:
        app.state.graph = builder.compile(checkpointer=saver)
        yield


api = FastAPI(lifespan=lifespan)


@api.post("/ask")
async def ask(body: Question):
    out = await api.state.graph.ainvoke(
        turn_of(body), {"configurable": {"thread_id": "main"}}
    )
    return {"answer": out["messages"][-1].content}
