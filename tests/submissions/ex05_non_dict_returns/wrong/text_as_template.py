"""The prompt is a template made from the ticket's text, so a brace in it is a variable.

Caught by: complete
"""

import json
import operator
from typing import Annotated, TypedDict

from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

llm = ChatOpenAI(model="gpt-4o-mini")
ROUTES = {
    "question": ["answer"],
    "refund": ["refund"],
    "outage": ["customer", "product"],
}


class State(TypedDict):
    ticket: dict
    kind: str
    priority: str
    status: str
    notes: Annotated[list[str], operator.add]


def ask(step: str, state: State) -> str:
    prompt = ChatPromptTemplate.from_messages(
        [("system", f"[{step}] Help."), ("user", state["ticket"]["text"])]
    )
    return llm.invoke(prompt.format_messages()).content


def sort(state: State) -> dict:
    said = ask("sort", state)
    try:
        data = json.loads(said)
    except (ValueError, RecursionError):
        data = None
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("kind"), str)
        or data["kind"] not in ROUTES
    ):
        return {"kind": "", "status": f"invalid: {said}"}
    if data.get("priority") not in ("low", "normal", "high"):
        return {"kind": "", "status": f"invalid: {said}"}
    return {"kind": data["kind"], "priority": data["priority"]}


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
