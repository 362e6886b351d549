"""A sync graph beside the loop, in a pool that is large enough."""

from concurrent.futures import ThreadPoolExecutor
from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
import asyncio
import os
import sqlite3

llm = ChatOpenAI(model="gpt-4o-mini")


class Question(BaseModel):
    thread_id: str
    question: str


def answer(state: MessagesState) -> dict:
    return {"messages": [llm.invoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)


connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))
pool = ThreadPoolExecutor(32)
api = FastAPI()


def run(body: Question) -> str:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    return graph.invoke(turn, config)["messages"][-1].content


@api.post("/ask")
async def ask(body: Question) -> dict:
    loop = asyncio.get_running_loop()
    return {"answer": await loop.run_in_executor(pool, run, body)}
