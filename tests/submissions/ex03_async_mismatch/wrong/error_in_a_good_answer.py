"""A loop for each request, and what goes wrong is said with status 200.

Caught by: six_in_a_row, crosses_processes
"""

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
import asyncio
import os

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


api = FastAPI()


async def run(body: Question) -> str:
    async with AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:
        graph = builder.compile(checkpointer=saver)
        config = {"configurable": {"thread_id": body.thread_id}}
        turn = {"messages": [HumanMessage(body.question)]}
        result = await graph.ainvoke(turn, config)
        return result["messages"][-1].content


@api.post("/ask")
def ask(body: Question) -> dict:
    try:
        return {"answer": asyncio.run(run(body))}
    except Exception as problem:
        return {"answer": f"Sorry: {problem}"}
