"""AsyncSqliteSaver and an HTTP client made inside the loop of each call."""

import asyncio
import os
from typing import Annotated, TypedDict

import httpx
from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    draft: str


async def run(thread_id: str, given: dict | None) -> str:
    async with (
        httpx.AsyncClient() as client,
        AsyncSqliteSaver.from_conn_string(os.environ["CHECKPOINT_DB"]) as saver,
    ):
        llm = ChatOpenAI(model="gpt-4o-mini", http_async_client=client)

        async def draft(state: State) -> dict:
            prompt = SystemMessage("[draft] Answer the user.")
            return {"draft": (await llm.ainvoke([prompt, *state["messages"]])).content}

        async def polish(state: State) -> dict:
            prompt = SystemMessage("[polish] Improve this answer.")
            answer = await llm.ainvoke([prompt, HumanMessage(state["draft"])])
            return {"messages": [answer]}

        builder = StateGraph(State)
        builder.add_sequence([draft, polish])
        builder.add_edge(START, "draft")
        builder.add_edge("polish", END)
        graph = builder.compile(checkpointer=saver)
        config = {"configurable": {"thread_id": thread_id}}
        return (await graph.ainvoke(given, config))["messages"][-1].content


def chat(thread_id: str, text: str) -> str:
    return asyncio.run(run(thread_id, {"messages": [HumanMessage(text)]}))


def resume(thread_id: str) -> str:
    return asyncio.run(run(thread_id, None))
