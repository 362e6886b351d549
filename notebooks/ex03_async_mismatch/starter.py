# The starter of ex03_async_mismatch, made by `python -m grader build`.
import os

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
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
import asyncio
import sqlite3

from langgraph.checkpoint.sqlite import SqliteSaver

# TODO: a saver that can be awaited, made where the server's loop runs
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))
api = FastAPI()


@api.post("/ask")
async def ask(body: Question) -> dict:
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    # TODO: a loop runs here already; let it run the graph
    result = asyncio.run(graph.ainvoke(turn, config))
    return {"answer": result["messages"][-1].content}
