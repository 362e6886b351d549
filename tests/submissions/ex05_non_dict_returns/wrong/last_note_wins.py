"""A reducer that keeps the last note it is given.

Caught by: both_notes
"""

import json
from typing import Annotated, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
ROUTES = {
    "question": ["answer"],
    "refund": ["refund"],
    "outage": ["customer", "product"],
}
PRIORITIES = ("low", "normal", "high")


def last(old: list[str], new: list[str]) -> list[str]:
    return new or old


class State(TypedDict):
    ticket: dict
    kind: str
    priority: str
    status: str
    notes: Annotated[list[str], last]


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


def customer(state: State) -> dict:
    return {"notes": [ask("customer", state)]}


def product(state: State) -> dict:
    return {"notes": [ask("product", state)]}


def escalate(state: State) -> dict:
    return {"status": "escalated"}


builder = StateGraph(State)
for node in (sort, answer, refund, customer, product, escalate):
    builder.add_node(node.__name__, node)
builder.add_edge(START, "sort")
builder.add_conditional_edges("sort", route)
builder.add_edge(["customer", "product"], "escalate")
for last in ("answer", "refund", "escalate"):
    builder.add_edge(last, END)
graph = builder.compile()


def triage(ticket: dict) -> dict:
    state = {"ticket": ticket, "status": "new", "priority": "normal", "notes": []}
    result = graph.invoke(state)
    return {key: result[key] for key in ("status", "priority", "notes")}
