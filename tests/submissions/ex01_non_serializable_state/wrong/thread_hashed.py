"""The thread's name is hashed with Python's hash(), which each interpreter salts.

Caught by: continues
"""

import os
import sqlite3

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")


def reply(state: MessagesState) -> dict:
    prompt = SystemMessage("[answer] Answer the user.")
    return {"messages": [llm.invoke([prompt, *state["messages"]])]}


builder = StateGraph(MessagesState)
builder.add_node("reply", reply)
builder.add_edge(START, "reply")
builder.add_edge("reply", END)
connection = sqlite3.connect(
    os.environ["CHECKPOINT_DB"], check_same_thread=False, timeout=30
)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def answer(thread_id: str, question: str) -> str:
    config = {"configurable": {"thread_id": f"thread-{hash(thread_id):x}"}}
    result = graph.invoke({"messages": [HumanMessage(question)]}, config)
    return result["messages"][-1].content
