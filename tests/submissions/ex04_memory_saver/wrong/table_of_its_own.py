"""Messages in a table of its own in the database; the graph has no checkpointer.

Caught by: crosses_processes, resumes_elsewhere
"""

import os
import sqlite3
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
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
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
connection.execute("CREATE TABLE IF NOT EXISTS said (thread TEXT, text TEXT)")
connection.commit()
graph = builder.compile()


def chat(thread_id: str, text: str) -> str:
    with connection:
        connection.execute("INSERT INTO said VALUES (?, ?)", (thread_id, text))
    return resume(thread_id)


def resume(thread_id: str) -> str:
    query = "SELECT text FROM said WHERE thread = ? ORDER BY rowid"
    rows = connection.execute(query, (thread_id,)).fetchall()
    result = graph.invoke({"messages": [HumanMessage(text) for (text,) in rows]})
    return result["messages"][-1].content
