"""The text of the ticket at work is kept on one object, which two at once share.

Caught by: both_notes
"""

import json
import operator
from functools import partial
from typing import Annotated, TypedDict

from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph


class TicketState(TypedDict):
    route: str
    priority: str
    status: str
    notes: list[str]


class OutageState(TypedDict):
    findings: Annotated[list[str], operator.add]


class TriageDesk:
    KINDS = frozenset({"question", "refund", "outage"})
    PRIORITIES = frozenset({"low", "normal", "high"})

    def __init__(self, model: ChatOpenAI):
        self.model = model
        self.text = ""
        self.outage_graph = self._build_outage()
        self.graph = self._build()

    def _ask(self, step: str) -> str:
        return self.model.invoke(
            [("system", f"[{step}] Desk."), ("user", self.text)]
        ).content

    def _branch(self, state: OutageState, *, step: str) -> dict:
        return {"findings": [self._ask(step)]}

    def _build_outage(self):
        b = StateGraph(OutageState)
        for step in ("customer", "product"):
            b.add_node(step, partial(self._branch, step=step))
            b.add_edge(START, step)
            b.add_edge(step, END)
        return b.compile()

    def sort(self, state: TicketState) -> dict:
        said = self._ask("sort")
        try:
            reply = json.loads(said)
            kind, priority = reply["kind"], reply["priority"]
            ok = kind in self.KINDS and priority in self.PRIORITIES
        except (ValueError, TypeError, LookupError, RecursionError):
            ok = False
        if not ok:
            return {"route": "stop", "status": f"invalid | {said}"}
        return {"route": kind, "priority": priority}

    def question(self, state: TicketState) -> dict:
        return {"status": "answered", "notes": [self._ask("answer")]}

    def refund(self, state: TicketState) -> dict:
        return {"status": "refunded", "notes": [self._ask("refund")]}

    def outage(self, state: TicketState) -> dict:
        inner = self.outage_graph.invoke({"findings": []})
        return {"status": "escalated", "notes": inner["findings"]}

    def _build(self):
        b = StateGraph(TicketState)
        for name in ("sort", "question", "refund", "outage"):
            b.add_node(name, getattr(self, name))
        b.add_edge(START, "sort")
        ways = {kind: kind for kind in self.KINDS} | {"stop": END}
        b.add_conditional_edges("sort", lambda state: state["route"], ways)
        return b.compile()

    def __call__(self, ticket: dict) -> dict:
        self.text = ticket["text"]
        start = {"priority": "normal", "status": "new", "notes": []}
        end = self.graph.invoke(start)
        return {
            "status": end["status"],
            "priority": end["priority"],
            "notes": end["notes"],
        }


desk = TriageDesk(ChatOpenAI(model="gpt-4o-mini"))


def triage(ticket: dict) -> dict:
    return desk(ticket)
