"""Async nodes on one loop that runs in the background, for all requests."""

import asyncio
import threading
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[reply] Answer the user.")

loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()


class State(TypedDict):
    user_id: str
    messages: list[str]
    count: int


async def reply(state: State) -> dict:
    asked = [HumanMessage(text) for text in state["messages"]]
    answer = await llm.ainvoke([PROMPT, *asked])
    messages = [*state["messages"], answer.content]
    return {"messages": messages, "count": len(messages)}


builder = StateGraph(State)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
graph = builder.compile()


def handle(user_id: str, texts: list[str]) -> dict:
    state = {"user_id": user_id, "messages": texts, "count": 0}
    return asyncio.run_coroutine_threadsafe(graph.ainvoke(state), loop).result()
