"""Nodes that return a Command: the update and the way in one."""

import json
import operator
from typing import Annotated, Literal, TypedDict

from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

llm = ChatOpenAI(model="gpt-4o-mini")
ROUTES = {
    "question": ["answer"],
    "refund": ["refund"],
    "outage": ["customer", "product"],
}
PRIORITIES = ("low", "normal", "high")


class State(TypedDict):
    ticket: dict
    priority: str
    status: str
    notes: Annotated[list[str], operator.add]


def ask(step: str, state: State) -> str:
    prompt = SystemMessage(f"[{step}] Help with this ticket.")
    return llm.invoke([prompt, HumanMessage(state["ticket"]["text"])]).content


Ways = Literal["answer", "refund", "customer", "product", "__end__"]


def sort(state: State) -> Command[Ways]:
    said = ask("sort", state)
    try:
        found = json.loads(said)
        if found["priority"] not in PRIORITIES:
            raise ValueError("expected a priority")
        update = {"priority": found["priority"]}
        return Command(update=update, goto=ROUTES[found["kind"]])
    except (ValueError, LookupError, TypeError):
        return Command(update={"status": f"invalid: {said}"}, goto=END)


def works(step: str, status: str, after: str):
    def node(state: State) -> Command:
        update = {"notes": [ask(step, state)]}
        if status:
            update["status"] = status
        return Command(update=update, goto=after)

    return node


builder = StateGraph(State)
builder.add_node("sort", sort)
builder.add_node("answer", works("answer", "answered", END))
builder.add_node("refund", works("refund", "refunded", END))
builder.add_node("customer", works("customer", "", "escalate"))
builder.add_node("product", works("product", "", "escalate"))
builder.add_node("escalate", lambda state: {"status": "escalated"})
builder.add_edge(START, "sort")
graph = builder.compile()


def triage(ticket: dict) -> dict:
    state = {"ticket": ticket, "status": "new", "priority": "normal", "notes": []}
    result = graph.invoke(state)
    return {key: result[key] for key in ("status", "priority", "notes")}
