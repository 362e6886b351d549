"""All questions share one thread of the checkpointer.

Caught by: ends_elsewhere, ends_each
"""

import os
import sqlite3

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")


class State(MessagesState):
    needs_more: bool
    attempts: int


def investigate(state: State) -> dict:
    prompt = SystemMessage("[research] Say `needs more` or `settled` first.")
    note = llm.invoke([prompt, *state["messages"]])
    found = {"messages": [note], "attempts": state["attempts"] + 1}
    found["needs_more"] = note.content.startswith("needs more")
    return found


def router(state: State) -> str:
    again = state.get("needs_more", False) and state["attempts"] < 3
    return "investigate" if again else END


builder = StateGraph(State)
builder.add_node("investigate", investigate)
builder.add_edge(START, "investigate")
builder.add_conditional_edges("investigate", router, ["investigate", END])
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def report(state: dict) -> dict:
    answer = state["messages"][-1].content
    complete = answer.startswith("settled")
    return {"answer": answer, "attempts": state["attempts"], "complete": complete}


def research(thread_id: str, question: str) -> dict:
    config = {"configurable": {"thread_id": "research"}}
    start = {"messages": [HumanMessage(question)], "attempts": 0}
    return report(graph.invoke(start, config))


def resume(thread_id: str) -> dict:
    config = {"configurable": {"thread_id": "research"}}
    return report(graph.invoke(None, config))
