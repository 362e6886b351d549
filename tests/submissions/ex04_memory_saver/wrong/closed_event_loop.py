"""One asyncio.run for each call, and a client that stays in the first one's loop.

Caught by: resumes_elsewhere, stays_apart, loses_no_turn
"""

import asyncio
import os
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini", max_retries=0)


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    draft: str


async def draft(state: State) -> dict:
    prompt = SystemMessage("[draft] Answer the user.")
    return {"draft": (await llm.ainvoke([prompt, *state["messages"]])).content}


async def polish(state: State) -> dict:
    prompt = SystemMessage("[polish] Improve this answer.")
    return {"messages": [await llm.ainvoke([prompt, HumanMessage(state["draft"])])]}


builder = StateGraph(State)
builder.add_node("draft", draft)
builder.add_node("polish", polish)
builder.add_edge(START, "draft")
builder.add_edge("draft", "polish")
builder.add_edge("polish", END)


async def run(thread_id: str, given: dict | None) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    path = os.environ["CHECKPOINT_DB"]
    async with AsyncSqliteSaver.from_conn_string(path) as saver:
        graph = builder.compile(checkpointer=saver)
        return (await graph.ainvoke(given, config))["messages"][-1].content


def chat(thread_id: str, text: str) -> str:
    return asyncio.run(run(thread_id, {"messages": [HumanMessage(text)]}))


def resume(thread_id: str) -> str:
    return asyncio.run(run(thread_id, None))
