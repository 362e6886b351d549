"""A state of plain dicts and another reducer, streamed."""

import operator
import os
import sqlite3
from typing import Annotated, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import StateGraph

llm = ChatOpenAI(model="gpt-4o-mini", streaming=True)


class Turn(TypedDict):
    turns: Annotated[list[dict], operator.add]
    draft: str
    reply: str


def ask(instruction: str, messages: list[dict]) -> str:
    system = {"role": "system", "content": instruction}
    return "".join(chunk.text for chunk in llm.stream([system, *messages]))


def draft(state: Turn) -> dict:
    return {"draft": ask("[draft] Answer the user.", state["turns"])}


def polish(state: Turn) -> dict:
    last = {"role": "user", "content": state["draft"]}
    reply = ask("[polish] Improve this answer.", [last])
    return {"reply": reply, "turns": [{"role": "assistant", "content": reply}]}


builder = StateGraph(Turn)
builder.add_sequence([draft, polish])
builder.set_entry_point("draft")
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def run(thread_id: str, given: dict | None) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    for state in graph.stream(given, config, stream_mode="values"):
        reply = state.get("reply", "")
    return reply


def chat(thread_id: str, text: str) -> str:
    return run(thread_id, {"turns": [{"role": "user", "content": text}]})


def resume(thread_id: str) -> str:
    return run(thread_id, None)
