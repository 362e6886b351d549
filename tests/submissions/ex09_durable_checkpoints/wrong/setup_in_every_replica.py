"""Every replica calls setup() when it starts. Caught by: all_start"""

import os
from typing import Annotated, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    draft: str


def draft(state: State) -> dict:
    prompt = ("system", "[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    return {"messages": [llm.invoke(f"[polish] {state['draft']}")]}


pool = ConnectionPool(
    os.environ["DATABASE_URL"],
    min_size=1,
    max_size=4,
    kwargs={"autocommit": True, "row_factory": dict_row},
    check=ConnectionPool.check_connection,
    open=True,
)
PostgresSaver(pool).setup()
builder = StateGraph(State)
builder.add_node("draft_answer", draft)
builder.add_node("polish_answer", polish)
builder.add_edge(START, "draft_answer")
builder.add_edge("draft_answer", "polish_answer")
builder.add_edge("polish_answer", END)
graph = builder.compile(checkpointer=PostgresSaver(pool))


def configured(thread_id: str) -> dict:
    return {"configurable": {"thread_id": thread_id}}


def chat(thread_id: str, text: str) -> str:
    state = graph.invoke({"messages": [("user", text)]}, configured(thread_id))
    return state["messages"][-1].content


def resume(thread_id: str) -> str:
    state = graph.invoke(None, configured(thread_id))
    return state["messages"][-1].content
