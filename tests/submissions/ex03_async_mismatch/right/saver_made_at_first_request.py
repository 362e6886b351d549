"""The saver is made when a loop runs first, once, and lives in that loop."""

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
import aiosqlite
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


made = {}
making = asyncio.Lock()


async def compiled():
    async with making:
        if "graph" not in made:
            database = aiosqlite.connect(os.environ["CHECKPOINT_DB"])
            made["graph"] = builder.compile(checkpointer=AsyncSqliteSaver(database))
    return made["graph"]


@api.post("/ask")
async def ask(body: Question) -> dict:
    graph = await compiled()
    config = {"configurable": {"thread_id": body.thread_id}}
    turn = {"messages": [HumanMessage(body.question)]}
    result = await graph.ainvoke(turn, config)
    return {"answer": result["messages"][-1].content}
