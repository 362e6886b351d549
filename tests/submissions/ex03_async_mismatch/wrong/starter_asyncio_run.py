"""The starter: asyncio.run in an async endpoint, where a loop already runs.

Caught by: six_in_a_row, twenty_at_once, crosses_processes, both_inside
"""

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


async def answer(state: MessagesState) -> dict:
    return {"messages": [await llm.ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")
builder.add_edge("answer", END)


connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))
api = FastAPI()


@api.post("/ask")
async def ask(body: Question) -> dict:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    result = asyncio.run(graph.ainvoke(turn, config))
    return {"answer": result["messages"][-1].content}
