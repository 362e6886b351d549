"""LangGraph's functional API, served by Starlette itself."""

from contextlib import asynccontextmanager
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.func import entrypoint, task
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
import os

llm = ChatOpenAI(model="gpt-4o-mini")


@asynccontextmanager
async def lifespan(app):
    async with AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver:

        @entrypoint(checkpointer=saver)
        async def chat(question: str, *, previous: list | None = None):
            messages = [*(previous or []), HumanMessage(question)]
            said = await llm.ainvoke(messages)
            return entrypoint.final(value=said.content, save=[*messages, said])

        app.state.chat = chat
        yield


async def ask(request: Request) -> JSONResponse:
    body = await request.json()
    config = {"configurable": {"thread_id": body["thread_id"]}}
    answer = await request.app.state.chat.ainvoke(body["question"], config)
    return JSONResponse({"answer": answer})


api = Starlette(lifespan=lifespan, routes=[Route("/ask", ask, methods=["POST"])])
