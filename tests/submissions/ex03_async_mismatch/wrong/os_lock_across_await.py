"""A lock of threading, held while the loop does other things.

Caught by: six_in_a_row, twenty_at_once, both_inside
"""

from contextlib import asynccontextmanager
from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
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


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:
        app.state.graph = builder.compile(checkpointer=saver)
        yield


api = FastAPI(lifespan=lifespan)


lock = threading.Lock()


@api.post("/ask")
async def ask(body: Question) -> dict:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    with lock:
        result = await api.state.graph.ainvoke(turn, config)
    return {"answer": result["messages"][-1].content}
