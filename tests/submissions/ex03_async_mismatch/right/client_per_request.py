"""A loop for each request, and nothing that outlives it: client and saver go with it."""

from fastapi import FastAPI
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from pydantic import BaseModel
import asyncio
import httpx
import os


class Question(BaseModel):
    thread_id: str
    question: str


api = FastAPI()


async def run(body: Question) -> str:
    database = os.environ["CHECKPOINT_DB"]
    async with (
        httpx.AsyncClient() as client,
        AsyncSqliteSaver.from_conn_string(database) as saver,
    ):
        llm = ChatOpenAI(model="gpt-4o-mini", http_async_client=client)

        async def answer(state: MessagesState) -> dict:
            return {"messages": [await llm.ainvoke(state["messages"])]}

        builder = StateGraph(MessagesState)
        builder.add_node("answer", answer)
        builder.add_edge(START, "answer")
        builder.add_edge("answer", END)
        graph = builder.compile(checkpointer=saver)
        config = {"configurable": {"thread_id": body.thread_id}}
        turn = {"messages": [HumanMessage(body.question)]}
        result = await graph.ainvoke(turn, config)
        return result["messages"][-1].content


@api.post("/ask")
def ask(body: Question) -> dict:
    return {"answer": asyncio.run(run(body))}
