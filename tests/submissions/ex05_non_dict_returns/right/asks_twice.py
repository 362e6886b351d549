"""A reply that is no decision gets a second chance, and both are quoted."""

import json
from typing import TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
ROUTES = {
    "question": ["answer"],
    "refund": ["refund"],
    "outage": ["customer"],
}
PRIORITIES = ("low", "normal", "high")


class State(TypedDict):
    ticket: dict
    kind: str
    priority: str
    status: str
    notes: list[str]


def ask(step: str, state: State) -> str:
    prompt = SystemMessage(f"[{step}] Help with this ticket.")
    return llm.invoke([prompt, HumanMessage(state["ticket"]["text"])]).content


def sort(state: State) -> dict:
    heard = []
    for _ in range(2):
        heard.append(ask("sort", state))
        try:
            found = json.loads(heard[-1])
            kind, priority = found["kind"], found["priority"]
        except (ValueError, LookupError, TypeError):
            continue
        if kind in ROUTES and priority in PRIORITIES:
            return {"kind": kind, "priority": priority}
    return {"status": f"invalid: {heard}"}


def route(state: State) -> list[str] | str:
    return END if state["status"].startswith("invalid") else ROUTES[state["kind"]]


def answer(state: State) -> dict:
    return {"status": "answered", "notes": [ask("answer", state)]}


def refund(state: State) -> dict:
    return {"status": "refunded", "notes": [ask("refund", state)]}


def customer(state: State) -> dict:
    return {"notes": [ask("customer", state)]}


def product(state: State) -> dict:
    return {"notes": [*state["notes"], ask("product", state)]}


def escalate(state: State) -> dict:
    return {"status": "escalated"}


builder = StateGraph(State)
for node in (sort, answer, refund, customer, product, escalate):
    builder.add_node(node.__name__, node)
builder.add_edge(START, "sort")
builder.add_conditional_edges("sort", route)
builder.add_edge("customer", "product")
builder.add_edge("product", "escalate")
for last in ("answer", "refund", "escalate"):
    builder.add_edge(last, END)
graph = builder.compile()


def triage(ticket: dict) -> dict:
    state = {"ticket": ticket, "status": "new", "priority": "normal", "notes": []}
    result = graph.invoke(state)
    return {key: result[key] for key in ("status", "priority", "notes")}
