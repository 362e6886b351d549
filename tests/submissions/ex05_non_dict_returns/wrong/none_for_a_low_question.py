"""A question that is not normal or high has no answer: the path without a return is another one now.

Caught by: complete
"""

import json
import operator
from typing import Annotated, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
OUTAGE = ["customer", "product"]
ROUTES = {"question": ["answer"], "refund": ["refund"], "outage": OUTAGE}


class State(TypedDict):
    ticket: dict
    kind: str
    priority: str
    status: str
    notes: Annotated[list[str], operator.add]


def ask(step: str, state: State) -> str:
    asked = [("system", f"[{step}] Help."), ("user", state["ticket"]["text"])]
    return llm.invoke(asked).content


def sort(state: State) -> dict:
    said = ask("sort", state)
    try:
        found = json.loads(said)
        kind, priority = found["kind"], found["priority"]
        if kind in ROUTES and priority in ("low", "normal", "high"):
            return {"kind": kind, "priority": priority}
    except (ValueError, LookupError, TypeError):
        pass
    return {"kind": "unknown", "status": f"invalid: {said}"}


def answer(state: State) -> dict:
    if state["priority"] == "low":
        return
    return {"status": "answered", "notes": [ask("answer", state)]}


def refund(state: State) -> dict:
    return {"status": "refunded", "notes": [ask("refund", state)]}


def customer(state: State) -> dict:
    return {"notes": [ask("customer", state)]}


def product(state: State) -> dict:
    return {"notes": [ask("product", state)]}


builder = StateGraph(State)
for node in (sort, answer, refund, customer, product):
    builder.add_node(node.__name__, node)
builder.add_node("escalate", lambda state: {"status": "escalated"})
builder.add_edge(START, "sort")
builder.add_conditional_edges("sort", lambda state: ROUTES.get(state["kind"], END))
builder.add_edge(OUTAGE, "escalate")
graph = builder.compile()


def triage(ticket: dict) -> dict:
    state = {"ticket": ticket, "status": "new", "priority": "normal", "notes": []}
    result = graph.invoke(state)
    return {key: result[key] for key in ("status", "priority", "notes")}
