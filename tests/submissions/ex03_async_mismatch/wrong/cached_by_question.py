"""A node's cache answers a question that somebody else has asked before.

Caught by: six_in_a_row
"""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import CachePolicy
from pydantic import BaseModel

llm = ChatOpenAI(model="gpt-4o-mini")


class Question(BaseModel):
    thread_id: str
    question: str


async def answer(state: MessagesState) -> dict:
    return {"messages": [await llm.ainvoke(state["messages"])]}


def same_question(state: MessagesState) -> str:
    return state["messages"][-1].content


builder = StateGraph(MessagesState)
builder.add_node(
    "answer", answer, cache_policy=CachePolicy(key_func=same_question, ttl=600)
)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:
        await saver.setup()
        app.state.graph = builder.compile(checkpointer=saver, cache=InMemoryCache())
        yield


api = FastAPI(lifespan=lifespan)


@api.post("/ask")
async def ask(body: Question) -> dict:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    result = await api.state.graph.ainvoke(turn, config)
    return {"answer": result["messages"][-1].content}
