"""What a timeline draws of a run: which events, and in which row."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from grader.visuals.labels import (
    UNNUMBERED,
    call_words,
    leaves,
    mark_words,
    reply_words,
    shape,
)
from grader.vocabulary import Observation, Run

DRAWN = {"call", "reply", "model", "charge", "fetch", "held", "released"}
DRAWN |= {"fault", "limit", "broken", "queue"}
DRAWN_LIMIT = 160  # events in one picture; the table has all of them
# Rows below the processes for what no process did.
OUTSIDE = {"stored": "database", "answer": "model", "held": "model", "model": "model"}

RowName = tuple[str, int]  # what acts, and which of its calls at once


@dataclass(frozen=True, slots=True)
class Event:
    """One observation as it is drawn.

    `shape` is call, reply, line, or the shape of a mark; `call` is the number of
    the call that a reply ends; `leads` says that a mark is the first in its
    call, `matters` that its words are always written; `short` is the label to take
    where there is little room.
    """

    number: int
    shape: str
    row: RowName
    label: str
    strong: bool
    call: int | None = None
    ok: bool = True
    leads: bool = False
    matters: bool = False
    short: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a timeline draws, in order; `left_out` counts what it does not."""

    events: tuple[Event, ...]
    rows: tuple[RowName, ...]
    left_out: int = 0


@dataclass(slots=True)
class Telling:
    """The state of a story while it is told: calls that run, requests that wait."""

    evidence: Collection[int]
    events: list[Event] = field(default_factory=list)
    running: dict[RowName, Observation] = field(default_factory=dict)
    asked: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, seen: Observation) -> None:
        """Add an observation as an event, or to the event that it belongs to."""
        strong = not self.evidence or seen.number in self.evidence
        if seen.kind == "call":
            row = self._free_row(seen)
            self.running[row] = seen
            words, short = call_words(seen)
            event = Event(seen.number, "call", row, words, strong, short=short)
        elif seen.kind == "reply":
            event = self._reply(seen, strong)
        elif seen.kind == "held" and self._hold(seen):
            return
        else:
            is_evidence = seen.number in self.evidence
            label = mark_words(seen, is_evidence)
            row = self._row(seen)
            before = [e for e in self.events if e.row == row][-1:]
            leads = bool(before) and before[0].shape == "call"
            matters = is_evidence or seen.kind not in UNNUMBERED
            event = Event(
                seen.number,
                shape(seen),
                row,
                label,
                strong,
                leads=leads,
                matters=matters,
            )
        if seen.kind == "model":
            self.asked[actor(seen), str(seen.data.get("event"))] = len(self.events)
        self.events.append(event)

    def _free_row(self, seen: Observation) -> RowName:
        name, place = actor(seen), 0
        while (name, place) in self.running:
            place += 1
        return name, place

    def _reply(self, seen: Observation, strong: bool) -> Event:
        for row, call in self.running.items():
            same = call.data.get("id") == seen.data.get("id")
            if same and row[0] == actor(seen):
                del self.running[row]
                words = reply_words(seen)
                return Event(
                    seen.number, "reply", row, words, strong, call.number, seen.ok
                )
        label = f"#{seen.number} {reply_words(seen)}"
        row = (actor(seen), 0)
        return Event(seen.number, "answer", row, label, strong, matters=True)

    def _hold(self, seen: Observation) -> bool:
        """Turn the mark of the request that is held into the sign for it."""
        at = self.asked.pop((actor(seen), str(seen.data.get("event"))), None)
        if at is None:
            return False
        is_evidence = seen.number in self.evidence
        asked = self.events[at]
        self.events[at] = replace(
            asked,
            shape="held",
            label=f"{asked.label}, {mark_words(seen, is_evidence)}",
            strong=asked.strong or is_evidence,
            matters=asked.matters or is_evidence,
        )
        return True

    def _row(self, seen: Observation) -> RowName:
        """Return the row of the call an event most likely belongs to.

        Only the texts tell: the call whose argument the model was sent.
        """
        sent = [seen.data.get(key) for key in ("prompt", "messages", "user")]
        text = json.dumps(sent, default=str)
        name = actor(seen)
        rows = [row for row in self.running if row[0] == name]
        for row in sorted(rows):
            given = [json.dumps(arg, default=str)[1:-1] for arg in _args(self, row)]
            if any(arg and arg in text for arg in given):
                return row
        return min(rows, default=(name, 0))


def tell(run: Run, evidence: Collection[int]) -> Story:
    """Choose the events to draw, and give each its row."""
    drawn = [seen for seen in run.observations if _is_drawn(seen, evidence)]
    chosen = _thinned(drawn, evidence)
    telling = Telling(evidence)
    for seen in chosen:
        telling.add(seen)
    processes = {(actor(s), 0) for s in run.observations if s.process is not None}
    used = {event.row for event in telling.events if event.shape != "line"}
    rows = sorted(used | processes, key=_order)
    return Story(tuple(telling.events), tuple(rows), len(drawn) - len(chosen))


def actor(seen: Observation) -> str:
    """Return the name of the row of what acted."""
    if seen.process is not None:
        return f"process {seen.process}"
    return OUTSIDE.get(seen.kind, "grader")


def _args(telling: Telling, row: RowName) -> Sequence[object]:
    call = telling.running[row].data
    method, _, path = str(call.get("function")).partition(" ")
    asked = [path.rpartition("/")[2]] if method == "GET" else []
    return [arg for arg in (*asked, *leaves(call.get("args", ()))) if arg]


def _is_drawn(seen: Observation, evidence: Collection[int]) -> bool:
    if seen.kind == "start":
        return bool(seen.data.get("restarted")) or seen.number in evidence
    return seen.kind in DRAWN or seen.number in evidence


def _thinned(
    seen: Sequence[Observation], evidence: Collection[int]
) -> list[Observation]:
    """Leave out the model's events first, then the middle of the run."""
    if len(seen) <= DRAWN_LIMIT:
        return list(seen)
    calls = {s.data.get("id") for s in seen if s.number in evidence} - {None}
    quiet = {"model", "fetch", "held"}
    kept = [s for s in seen if s.kind not in quiet or s.number in evidence]
    if len(kept) > DRAWN_LIMIT:
        half = DRAWN_LIMIT // 2
        ends = {s.number for s in (*kept[:half], *kept[-half:])} | set(evidence)
        kept = [s for s in kept if s.number in ends or s.data.get("id") in calls]
    return kept


def _order(row: RowName) -> tuple[bool, int, str, int]:
    name, place = row
    is_process = name.startswith("process ")
    return (not is_process, int(name[8:]) if is_process else 0, name, place)
