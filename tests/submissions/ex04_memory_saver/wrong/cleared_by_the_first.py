"""A start that finds nobody else alive clears the table of checkpoints.

Caught by: survives_restart
"""

import fcntl
import os
import sqlite3
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

llm = ChatOpenAI(model="gpt-4o-mini")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    draft: str


def draft(state: State) -> dict:
    prompt = SystemMessage("[draft] Answer the user.")
    return {"draft": llm.invoke([prompt, *state["messages"]]).content}


def polish(state: State) -> dict:
    prompt = SystemMessage("[polish] Improve this answer.")
    return {"messages": [llm.invoke([prompt, HumanMessage(state["draft"])])]}


builder = StateGraph(State)
builder.add_node("draft", draft)
builder.add_node("polish", polish)
builder.add_edge(START, "draft")
builder.add_edge("draft", "polish")
builder.add_edge("polish", END)


DB = os.environ["CHECKPOINT_DB"]
saver = SqliteSaver(sqlite3.connect(DB, check_same_thread=False, timeout=30))
alive = open(f"{DB}.alive", "a")  # held by every process for as long as it lives
try:
    fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    pass  # others serve already: what is in the file is theirs
else:
    with saver.cursor() as cursor:  # nobody else lives: leftovers of the last deploy
        cursor.execute("DELETE FROM writes")
        cursor.execute("DELETE FROM checkpoints")
fcntl.flock(alive, fcntl.LOCK_SH)
graph = builder.compile(checkpointer=saver)


def chat(thread_id: str, text: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    result = graph.invoke({"messages": [HumanMessage(text)]}, config)
    return result["messages"][-1].content


def resume(thread_id: str) -> str:
    config = {"configurable": {"thread_id": thread_id}}
    return graph.invoke(None, config)["messages"][-1].content
