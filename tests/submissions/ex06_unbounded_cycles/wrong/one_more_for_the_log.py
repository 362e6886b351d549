"""A question that stays open gets a fourth call, without the marker.

Caught by: ends
"""

import contextlib
import logging
import os
import sqlite3

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

log = logging.getLogger(__name__)
llm = ChatOpenAI(model="gpt-4o-mini")


class State(MessagesState):
    attempts: int


def investigate(state: State) -> dict:
    prompt = SystemMessage("[research] Say `needs more` or `settled` first.")
    return {
        "messages": [llm.invoke([prompt, *state["messages"]])],
        "attempts": state["attempts"] + 1,
    }


def router(state: State) -> str:
    if not state["messages"][-1].content.startswith("needs more"):
        return END
    return "investigate" if state["attempts"] < 3 else "give_up"


def give_up(state: State) -> None:
    notes = "\n".join(m.content for m in state["messages"] if m.type == "ai")
    with contextlib.suppress(
        Exception
    ):  # for the log only: it must not cost us the answer
        summary = llm.invoke(
            [SystemMessage("Sum these notes up in one line."), HumanMessage(notes)]
        )
        log.warning("gave up: %s", summary.content)


builder = StateGraph(State)
builder.add_node("investigate", investigate)
builder.add_node("give_up", give_up)
builder.add_edge(START, "investigate")
builder.add_conditional_edges("investigate", router, ["investigate", "give_up", END])
builder.add_edge("give_up", END)
connection = sqlite3.connect(os.environ["CHECKPOINT_DB"], check_same_thread=False)
graph = builder.compile(checkpointer=SqliteSaver(connection))


def report(state: dict) -> dict:
    answer = state["messages"][-1].content
    return {
        "answer": answer,
        "attempts": state["attempts"],
        "complete": answer.startswith("settled"),
    }


def research(thread_id: str, question: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    start = {"messages": [HumanMessage(question)], "attempts": 0}
    return report(graph.invoke(start, config, durability="sync"))


def resume(thread_id: str) -> dict:
    config = {"configurable": {"thread_id": thread_id}}
    return report(graph.invoke(None, config, durability="sync"))
