"""What a timeline draws of a run: which events, in which row, in which words."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.vocabulary import Observation, Run

DRAWN = {"call", "reply", "model", "held", "released", "fault", "limit", "broken"}
DRAWN_LIMIT = 160  # events in one picture; the table has all of them
LABEL_LIMIT = 200  # characters of one label, before it is fitted to its place
# Rows below the processes for what no process did.
OUTSIDE = {"stored": "database", "answer": "model", "held": "model", "model": "model"}
NO_REPLY = {
    "killed": "no reply: killed",
    "hang": "no reply: hangs",
    "died": "no reply: the process ended",
    "not_run": "not called",
    "broken": "not called: no import",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One observation as it is drawn: its row, the call it belongs to, its label."""

    number: int
    shape: str  # call, reply, line, or the shape of a mark
    row: tuple[str, int]  # what acts, and which of its calls at once
    label: str
    strong: bool  # drawn in full ink
    call: int | None = None  # the call that a reply ends
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a timeline draws, in order; `left_out` counts what it does not."""

    events: tuple[Event, ...]
    rows: tuple[tuple[str, int], ...]
    left_out: int = 0


def tell(run: Run, evidence: Collection[int]) -> Story:
    """Choose the events to draw, and give each its row."""
    chosen, left_out = _thinned(
        [seen for seen in run.observations if _is_drawn(seen, evidence)], evidence
    )
    open_calls: dict[str, dict[int, Observation]] = {}
    events = [_event(seen, open_calls, evidence) for seen in chosen]
    known = {_actor(s) for s in run.observations if s.process is not None}
    used = {event.row for event in events if event.shape != "line"}
    rows = used | {(actor, 0) for actor in known}
    return Story(tuple(events), tuple(sorted(rows, key=_order)), left_out)


def one_line(text: object) -> str:
    """Return text that fits in one line and cannot steer what shows it."""
    flat = " ".join(str(text)[: 4 * LABEL_LIMIT].split())
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in flat
    )


def _is_drawn(seen: Observation, evidence: Collection[int]) -> bool:
    if seen.kind == "start":
        return bool(seen.data.get("restarted")) or seen.number in evidence
    return seen.kind in DRAWN or seen.number in evidence


def _thinned(
    seen: Sequence[Observation], evidence: Collection[int]
) -> tuple[list[Observation], int]:
    """Leave out the model's events first, then the middle of the run."""
    kept = list(seen)
    if len(kept) > DRAWN_LIMIT:
        kept = [s for s in kept if s.kind != "model" or s.number in evidence]
    if len(kept) > DRAWN_LIMIT:
        ends = {
            s.number for s in (*kept[: DRAWN_LIMIT // 2], *kept[-DRAWN_LIMIT // 2 :])
        }
        kept = [s for s in kept if s.number in ends or s.number in evidence]
    return kept, len(seen) - len(kept)


def _event(
    seen: Observation,
    open_calls: dict[str, dict[int, Observation]],
    evidence: Collection[int],
) -> Event:
    actor = _actor(seen)
    running = open_calls.setdefault(actor, {})
    strong = not evidence or seen.number in evidence
    if seen.kind == "call":
        place = next(n for n in range(len(running) + 1) if n not in running)
        running[place] = seen
        label = one_line(f"{seen.data.get('function')}({_args(seen.data)})")
        return Event(seen.number, "call", (actor, place), label, strong)
    if seen.kind == "reply":
        same = [
            n for n, c in running.items() if c.data.get("id") == seen.data.get("id")
        ]
        if same:
            call = running.pop(same[0]).number
            row = (actor, same[0])
            label = reply_words(seen)
            return Event(seen.number, "reply", row, label, strong, call, seen.ok)
    row = (actor, _place(seen, running))
    return Event(seen.number, _shape(seen), row, _label(seen), strong)


def reply_words(seen: Observation) -> str:
    """Return what came back from a call, or why nothing did."""
    if seen.ok:
        return one_line(repr(seen.data["value"]))
    error, message = str(seen.data.get("error")), seen.data.get("message")
    if error in {"not_json", "wrong_type"}:
        return one_line(f"returned {message}")
    return NO_REPLY.get(error) or one_line(f"raised {error}: {message}")


def _place(seen: Observation, running: Mapping[int, Observation]) -> int:
    """Return which of a process's calls at once an event most likely belongs to.

    Only the texts tell: the call whose argument the model was sent.
    """
    sent = json.dumps([seen.data.get("prompt"), seen.data.get("messages")], default=str)
    for place, call in sorted(running.items()):
        args = [json.dumps(arg)[1:-1] for arg in call.data.get("args", ()) if arg]
        if any(arg and arg in sent for arg in args):
            return place
    return min(running, default=0)


def _shape(seen: Observation) -> str:
    if seen.kind == "fault":
        return "killed" if seen.data.get("what") == "killed" else "stopped"
    return {"released": "line"}.get(seen.kind, seen.kind)


def _label(seen: Observation) -> str:
    data = seen.data
    words = {
        "start": "restarts" if data.get("restarted") else "starts",
        "broken": f"no import: {data.get('error')}",
        "model": data.get("event"),
        "answer": "answered",
        "held": "held",
        "released": f"{data.get('event')} released, {data.get('inside')} inside",
        "fault": data.get("what"),
        "limit": f"limit: {data.get('what')}",
        "output": "prints",
        "exit": "ends",
        "stored": _stored(data),
        "reply": reply_words(seen) if seen.kind == "reply" else "",
    }
    return one_line(words.get(seen.kind, seen.kind))


def _stored(data: Mapping[str, Any]) -> str:
    count = sum(thread.get("checkpoints", 0) for thread in data.get("threads", ()))
    return f"{count} {'checkpoint' if count == 1 else 'checkpoints'}"


def _args(data: Mapping[str, Any]) -> str:
    return ", ".join(repr(arg)[:LABEL_LIMIT] for arg in data.get("args", ()))


def _actor(seen: Observation) -> str:
    if seen.process is not None:
        return f"process {seen.process}"
    return OUTSIDE.get(seen.kind, "grader")


def _order(row: tuple[str, int]) -> tuple[bool, int, str, int]:
    name, place = row
    is_process = name.startswith("process ")
    return (not is_process, int(name[8:]) if is_process else 0, name, place)
