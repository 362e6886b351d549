"""Each OS thread of the pool keeps a loop; all of them share the model's open connections.

Caught by: six_in_a_row
"""

import asyncio
import os
import threading

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

api = FastAPI()
local = threading.local()


async def run(body: Question) -> str:
    async with AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:
        config = {"configurable": {"thread_id": body.thread_id}}
        turn = {"messages": [HumanMessage(body.question)]}
        result = await builder.compile(checkpointer=saver).ainvoke(turn, config)
        return result["messages"][-1].content


@api.post("/ask")
def ask(body: Question) -> dict:
    if not hasattr(local, "loop"):
        local.loop = asyncio.new_event_loop()
    return {"answer": local.loop.run_until_complete(run(body))}
