# The starter of ex05_non_dict_returns, made by `python -m grader build`.
import json
from typing import TypedDict

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
    notes: list[str]  # TODO: two branches write this key in one step


def ask(step: str, state: State) -> str:
    asked = [("system", f"[{step}] Help."), ("user", state["ticket"]["text"])]
    return llm.invoke(asked).content


def sort(state: State) -> dict:
    return json.loads(ask("sort", state))  # TODO: is it what we asked for?


def answer(state: State) -> dict:  # TODO: every path, every key
    if state["priority"] != "high":
        return {"status": "answered", "note": [ask("answer", state)]}


def refund(state: State) -> dict:  # TODO: an update
    return f"refunded: {ask('refund', state)}"


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
