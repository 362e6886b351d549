"""The model is asked by a schema, and what does not fit it is reported."""

import operator
from typing import Annotated, Literal, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel, ValidationError

llm = ChatOpenAI(model="gpt-4o-mini")
ROUTES = {
    "question": ["answer"],
    "refund": ["refund"],
    "outage": ["customer", "product"],
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


class Sorted(BaseModel):
    kind: Literal["question", "refund", "outage"]
    priority: Literal["low", "normal", "high"]


sorter = llm.with_structured_output(Sorted)


def sort(state: State) -> dict:
    prompt = SystemMessage("[sort] What is this ticket?")
    try:
        found = sorter.invoke([prompt, HumanMessage(state["ticket"]["text"])])
    except ValidationError as error:  # quotes what was said
        return {"status": f"invalid: {error}"}
    return {"kind": found.kind, "priority": found.priority}


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
