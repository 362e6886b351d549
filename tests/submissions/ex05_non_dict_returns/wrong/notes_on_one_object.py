"""The notes of the ticket at work are kept on one object, which two at once share.

Caught by: both_notes
"""

import json
from typing import TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

ROUTES = {
    "question": ["answer"],
    "refund": ["refund"],
    "outage": ["customer", "product"],
}
STATUS = {"question": "answered", "refund": "refunded", "outage": "escalated"}
PRIORITIES = ("low", "normal", "high")


class State(TypedDict):
    text: str
    kind: str
    priority: str
    status: str


class Desk:
    def __init__(self) -> None:
        self.llm = ChatOpenAI(model="gpt-4o-mini")
        self.notes: list[str] = []
        builder = StateGraph(State)
        builder.add_node("sort", self.sort)
        builder.add_edge(START, "sort")
        for step in ("answer", "refund", "customer", "product"):
            builder.add_node(step, self.specialist(step))
        builder.add_conditional_edges("sort", self.route)
        self.graph = builder.compile()

    def ask(self, step: str, text: str) -> str:
        return self.llm.invoke([("system", f"[{step}]"), ("user", text)]).content

    def sort(self, state: State) -> dict:
        said = self.ask("sort", state["text"])
        try:
            verdict = json.loads(said)
            kind, priority = verdict["kind"], verdict["priority"]
        except (ValueError, TypeError, KeyError):
            kind = priority = None
        if kind not in list(ROUTES) or priority not in PRIORITIES:
            return {"kind": "invalid", "status": f"invalid: {said}"}
        return {"kind": kind, "priority": priority, "status": STATUS[kind]}

    def route(self, state: State):
        return ROUTES.get(state["kind"], END)

    def specialist(self, step: str):
        def work(state: State) -> dict:
            self.notes.append(self.ask(step, state["text"]))
            return {}

        return work

    def triage(self, ticket: dict) -> dict:
        self.notes = []
        start = {"text": ticket["text"], "status": "new", "priority": "normal"}
        result = self.graph.invoke(start)
        return {
            "status": result["status"],
            "priority": result["priority"],
            "notes": self.notes,
        }


triage = Desk().triage
