# The starter of ex09_durable_checkpoints, made by `python -m grader build`.
import os
from typing import Annotated, TypedDict

import psycopg
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from psycopg.rows import dict_row

llm = ChatOpenAI(model="gpt-4o-mini")
url = os.environ["DATABASE_URL"]


class State(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    draft: str


def draft(state: State) -> dict:
    prompt = ("system", "[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    return {"messages": [llm.invoke(f"[polish] {state['draft']}")]}


keep = {"autocommit": True, "row_factory": dict_row}
# TODO: who looks after this connection, and who may make the tables?
saver = PostgresSaver(psycopg.connect(url, **keep))
saver.setup()
graph = (
    StateGraph(State)
    .add_node("drafts", draft)
    .add_node("polishes", polish)
    .add_edge(START, "drafts")
    .add_edge("drafts", "polishes")
    .compile(checkpointer=saver)
)


def run(given: dict | None, thread_id: str) -> str:
    state = graph.invoke(given, {"configurable": {"thread_id": thread_id}})
    return state["messages"][-1].content


def chat(thread_id: str, text: str) -> str:
    return run({"messages": [("user", text)]}, thread_id)


def resume(thread_id: str) -> str:
    return run(None, thread_id)
