"""One node asks for both notes and goes on with the first that is there.

Caught by: both_notes
"""

import json
import operator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Annotated, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
ROUTES = {
    "question": ["answer"],
    "refund": ["refund"],
    "outage": ["outage"],
}
PRIORITIES = ("low", "normal", "high")


class State(TypedDict):
    ticket: dict
    kind: str
    priority: str
    status: str
    notes: Annotated[list[str], operator.add]


def ask(step: str, state: State) -> str:
    prompt = SystemMessage(f"[{step}] Help with this ticket.")
    return llm.invoke([prompt, HumanMessage(state["ticket"]["text"])]).content


def sort(state: State) -> dict:
    said = ask("sort", state)
    try:
        found = json.loads(said)
        kind, priority = found["kind"], found["priority"]
    except (ValueError, LookupError, TypeError):
        return {"status": f"invalid: {said}"}
    if kind not in ROUTES or priority not in PRIORITIES:
        return {"status": f"invalid: {said}"}
    return {"kind": kind, "priority": priority}


def route(state: State) -> list[str] | str:
    return END if state["status"].startswith("invalid") else ROUTES[state["kind"]]


def answer(state: State) -> dict:
    return {"status": "answered", "notes": [ask("answer", state)]}


def refund(state: State) -> dict:
    return {"status": "refunded", "notes": [ask("refund", state)]}


def outage(state: State) -> dict:
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask, step, state) for step in ("customer", "product")]
        done, _ = wait(asked, return_when=FIRST_COMPLETED)
        notes = [future.result() for future in done]
    return {"status": "escalated", "notes": notes}


builder = StateGraph(State)
for node in (sort, answer, refund, outage):
    builder.add_node(node.__name__, node)
builder.add_edge(START, "sort")
builder.add_conditional_edges("sort", route)
for last in ("answer", "refund", "outage"):
    builder.add_edge(last, END)
graph = builder.compile()


def triage(ticket: dict) -> dict:
    state = {"ticket": ticket, "status": "new", "priority": "normal", "notes": []}
    result = graph.invoke(state)
    return {key: result[key] for key in ("status", "priority", "notes")}
