"""A saver goes on where a ticket ended, when the same ticket comes again.

Caught by: both_notes
"""

import json
import operator
from typing import Annotated, Literal, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command

llm = ChatOpenAI(model="gpt-4o-mini")
PLANS = {
    "question": ("answered", ["answer"]),
    "refund": ("refunded", ["refund"]),
    "outage": ("escalated", ["customer", "product"]),
}


class State(TypedDict):
    ticket: dict
    priority: str
    status: str
    notes: Annotated[list[str], operator.add]


def ask(step: str, state: State) -> str:
    return llm.invoke(
        [("system", f"[{step}] Help."), ("user", state["ticket"]["text"])]
    ).content


def sort(state: State) -> Command[Literal["answer", "refund", "customer", "product"]]:
    said = ask("sort", state)
    try:
        reply = json.loads(said)
    except ValueError:
        reply = None
    if (
        not isinstance(reply, dict)
        or reply.get("kind") not in list(PLANS)
        or reply.get("priority") not in ["low", "normal", "high"]
    ):
        return Command(update={"status": f"invalid: {said}"})
    status, steps = PLANS[reply["kind"]]
    return Command(update={"status": status, "priority": reply["priority"]}, goto=steps)


def finder(step: str):
    def find(state: State) -> dict:
        return {"notes": [ask(step, state)]}

    return find


builder = StateGraph(State)
builder.add_node("sort", sort)
for step in ("answer", "refund", "customer", "product"):
    builder.add_node(step, finder(step))
builder.add_edge(START, "sort")
graph = builder.compile(checkpointer=InMemorySaver())


def triage(ticket: dict) -> dict:
    config = {"configurable": {"thread_id": str(ticket["id"])}}
    state = {"ticket": ticket, "status": "new", "priority": "normal", "notes": []}
    result = graph.invoke(state, config)
    return {key: result[key] for key in ("status", "priority", "notes")}
