"""A dictionary of counters by thread, in one process's memory.

Caught by: ends_elsewhere
"""

import os
import sqlite3

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")


attempts = {}


class State(MessagesState):
    needs_more: bool
    attempts: int


def investigate(state: State, config: RunnableConfig) -> dict:
    thread_id = config["configurable"]["thread_id"]
    attempts[thread_id] = attempts.get(thread_id, 0) + 1
    prompt = SystemMessage("[research] Say `needs more` or `settled` first.")
    note = llm.invoke([prompt, *state["messages"]])
    more = note.content.startswith("needs more")
    found = {"messages": [note], "needs_more": more}
    return found | {"attempts": attempts[thread_id]}


def router(state: State) -> str:
    again = state["needs_more"] and state["attempts"] < 3
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
    attempts.pop(thread_id, None)
    config = {"configurable": {"thread_id": thread_id}}
    return report(graph.invoke({"messages": [HumanMessage(question)]}, config))


def resume(thread_id: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    return report(graph.invoke(None, config))
