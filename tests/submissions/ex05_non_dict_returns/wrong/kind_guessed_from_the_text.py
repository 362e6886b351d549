"""Where the model's reply is invalid, the kind is guessed from the ticket's words.

Caught by: invalid_reported
"""

import json
import operator
from typing import Annotated, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
ROUTES = {
    "question": ["answer"],
    "refund": ["refund"],
    "outage": ["customer", "product"],
}
WORDS = {
    "refund": ("refund", "money back", "charged", "invoice", "paid"),
    "outage": (
        "outage",
        "down",
        "error",
        "unavailable",
        "offline",
        "broken",
        "not work",
    ),
    "question": ("?", "how", "what", "where", "when", "which", "can i"),
}


class State(TypedDict):
    ticket: dict
    kind: str
    priority: str
    status: str
    notes: Annotated[list[str], operator.add]


def ask(step: str, state: State) -> str:
    return llm.invoke(
        [("system", f"[{step}] Help."), ("user", state["ticket"]["text"])]
    ).content


def guess(text: str) -> str:
    text = text.lower()
    return next(
        (kind for kind, words in WORDS.items() if any(word in text for word in words)),
        "",
    )


def sort(state: State) -> dict:
    said = ask("sort", state)
    try:
        data = json.loads(said)
    except (ValueError, RecursionError):
        data = None
    if (
        isinstance(data, dict)
        and data.get("kind") in list(ROUTES)
        and data.get("priority") in ["low", "normal", "high"]
    ):
        return {"kind": data["kind"], "priority": data["priority"]}
    if kind := guess(state["ticket"]["text"]):
        return {"kind": kind, "priority": "normal"}
    return {"kind": "", "status": f"invalid: {said}"}


def answer(state: State) -> dict:
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
builder.add_edge(["customer", "product"], "escalate")
graph = builder.compile()


def triage(ticket: dict) -> dict:
    result = graph.invoke(
        {
            "ticket": ticket,
            "kind": "",
            "status": "new",
            "priority": "normal",
            "notes": [],
        }
    )
    return {key: result[key] for key in ("status", "priority", "notes")}
