"""The thread's id carries the app's name; nodes are chained expressions."""

import os
import sqlite3

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
drafting = (
    ChatPromptTemplate(
        [("system", "[draft] Answer the user."), MessagesPlaceholder("messages")]
    )
    | llm
    | StrOutputParser()
)
polishing = (
    ChatPromptTemplate([("system", "[polish] Improve this."), ("user", "{draft}")])
    | llm
    | StrOutputParser()
)


class State(MessagesState):
    draft: str


builder = StateGraph(State)
builder.add_node("draft_it", lambda state: {"draft": drafting.invoke(state)})
builder.add_node(
    "polish_it", lambda state: {"messages": [("ai", polishing.invoke(state))]}
)
builder.add_edge(START, "draft_it")
builder.add_edge("draft_it", "polish_it")
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def config(thread_id: str) -> dict:
    return {"configurable": {"thread_id": f"support-desk:{thread_id}"}}


def chat(thread_id: str, text: str) -> str:
    result = graph.invoke({"messages": [("user", text)]}, config(thread_id))
    return result["messages"][-1].content


def resume(thread_id: str) -> str:
    return graph.invoke(None, config(thread_id))["messages"][-1].content
