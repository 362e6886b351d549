"""A resume that reads the thread and asks once more. Caught by: resumes_elsewhere"""

import os
import time
from typing import Annotated, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

llm = ChatOpenAI(model="gpt-4o-mini")
LOCK = 4711


class State(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    draft: str


def draft(state: State) -> dict:
    prompt = ("system", "[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    return {"messages": [llm.invoke(f"[polish] {state['draft']}")]}


def migrate(pool: ConnectionPool) -> None:
    with pool.connection() as connection:
        while True:
            asked = connection.execute(
                "SELECT pg_try_advisory_lock(%s) AS mine", [LOCK]
            )
            if asked.fetchone()["mine"]:
                break
            time.sleep(0.02)
        try:
            PostgresSaver(connection).setup()
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


pool = ConnectionPool(
    os.environ["DATABASE_URL"],
    min_size=1,
    max_size=4,
    kwargs={"autocommit": True, "row_factory": dict_row},
    check=ConnectionPool.check_connection,
    open=True,
)
migrate(pool)
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
    values = graph.get_state(configured(thread_id)).values
    return chat(thread_id, values["messages"][-1].content)
