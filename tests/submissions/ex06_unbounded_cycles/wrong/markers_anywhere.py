"""It looks for both markers anywhere in a reply, and not where it begins.

Caught by: settles, ends
"""

import os
import sqlite3

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
PROMPT = SystemMessage("[research] Say `needs more` or `settled` first.")
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
saver = SqliteSaver(connection)


def configured(thread_id: str) -> dict:
    return {"configurable": {"thread_id": thread_id}}


def more(text: str) -> bool:
    return "needs more" in text


class State(MessagesState):
    needs_more: bool
    attempts: int


def investigate(state: State) -> dict:
    note = llm.invoke([PROMPT, *state["messages"]])
    return {
        "messages": [note],
        "attempts": state["attempts"] + 1,
        "needs_more": more(note.content),
    }


def router(state: State) -> str:
    return "investigate" if state["needs_more"] and state["attempts"] < 3 else END


builder = StateGraph(State)
builder.add_node(investigate)
builder.add_edge(START, "investigate")
builder.add_conditional_edges("investigate", router, ["investigate", END])
graph = builder.compile(checkpointer=saver)


def report(state) -> dict:
    answer = state["messages"][-1].content
    return {
        "answer": answer,
        "attempts": state["attempts"],
        "complete": "settled" in answer,
    }


def research(thread_id: str, question: str) -> dict:
    start = {"messages": [HumanMessage(question)], "attempts": 0}
    return report(graph.invoke(start, configured(thread_id)))


def resume(thread_id: str) -> dict:
    return report(graph.invoke(None, configured(thread_id)))
