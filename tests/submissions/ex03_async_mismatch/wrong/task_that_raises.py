"""A task that nobody keeps raises after each request.

Caught by: quiet_log
"""

import asyncio
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel


class Question(BaseModel):
    thread_id: str
    question: str


llm = ChatOpenAI(model="gpt-4o-mini")


async def answer(state: MessagesState) -> dict:
    return {"messages": [await llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState).add_node(answer).add_edge(START, "answer")


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:
        app.state.graph = builder.compile(checkpointer=saver)
        yield


api = FastAPI(lifespan=lifespan)


async def run(body: Question) -> str:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    result = await api.state.graph.ainvoke(turn, config)
    return result["messages"][-1].content


async def audit(body: Question) -> None:
    with open(f"/var/log/asked/{body.thread_id}.txt", "a") as log:
        log.write(body.question)


@api.post("/ask")
async def ask(body: Question) -> dict:
    asyncio.create_task(audit(body))
    return {"answer": await run(body)}
