"""What each call held, step by step, and whose it was: told from a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from grader.visuals.labels import one_line, reply_words
from grader.vocabulary import Observation, Run

SHOWN = {"call", "model", "held", "released", "answer", "reply", "again"}
STEPS_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Item:
    """One value that a call holds; `whose` names another call, or nobody's.

    Only of texts can be told whose they are.
    """

    text: str
    whose: str = ""
    is_text: bool = True

    @property
    def mark(self) -> str:
        """A sign and words that say whose the value is."""
        if not self.is_text:
            return ""
        return f"✗ {self.whose}" if self.whose else "✓ its own"


@dataclass(frozen=True, slots=True)
class Lane:
    """One call as it is known at one step."""

    name: str
    about: str
    state: str = "has not begun"
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One observation in words, and all calls as they are known then.

    `lane` is the one that the observation is about; `tells` says whether it tells
    what that call holds.
    """

    number: int
    title: str
    lane: int | None
    lanes: tuple[Lane, ...]
    tells: bool

    @property
    def mixed(self) -> bool:
        """Whether a call holds what is not its own."""
        return any(item.whose for lane in self.lanes for item in lane.items)


@dataclass(slots=True)
class Telling:
    """The lanes while the steps are told, and what is known of every text."""

    calls: list[Observation]
    lanes: list[Lane]
    owners: dict[str, set[int]]
    asked: dict[int, int] = field(default_factory=dict)  # lane by request
    running: list[int] = field(default_factory=list)

    def take(self, seen: Observation) -> tuple[str, int | None]:
        """Follow one observation; return its words and the lane it changes."""
        if seen.kind == "released":
            inside, expected = seen.data["inside"], seen.data["expected"]
            are = "is" if inside == 1 else "are"
            return f"{inside} of {expected} {are} at the model, which goes on", None
        lane = self._lane(seen)
        if lane is None:
            return one_line(seen), None
        name = self.lanes[lane].name
        if seen.kind == "call":
            self.running.append(lane)
            self._show(lane, "begins", seen.data["args"])
            return f"{name} begins", lane
        if seen.kind == "model":
            said = [m["text"] for m in seen.data["messages"] if m["role"] != "system"]
            self._show(lane, "asks the model", said)
            return f"{name} asks the model, and shows it this", lane
        if seen.kind == "answer":
            text = str(seen.data["text"])
            self.owners.setdefault(text, set()).add(lane)
            return f"the model answers {name}: {one_line(text)}", lane
        if seen.kind == "held":
            self.lanes[lane] = replace(self.lanes[lane], state="waits at the model")
            return f"{name} waits at the model", lane
        if seen.kind == "reply":
            self.running.remove(lane)
        if not seen.ok:
            self.lanes[lane] = replace(self.lanes[lane], state=reply_words(seen))
            return f"{name}: {reply_words(seen)}", lane
        if seen.kind == "reply":
            self._show(lane, "has returned", seen.value)
            return f"{name} returns", lane
        shown = [seen.value]
        if seen.data.get("args") != self.calls[lane].data["args"]:
            shown = [{"passed in, and changed": seen.data.get("args")}, seen.value]
        self._show(lane, "has returned, looked at once more", shown)
        return f"the reply of {name}, looked at once more", lane

    def _lane(self, seen: Observation) -> int | None:
        if "id" in seen.data:
            ids = [call.data["id"] for call in self.calls]
            return ids.index(seen.data["id"]) if seen.data["id"] in ids else None
        if "request" in seen.data and seen.data["request"] in self.asked:
            return self.asked[seen.data["request"]]
        here = [n for n in self.running if self.calls[n].process == seen.process]
        if seen.kind == "held":
            asking = [n for n in here if self.lanes[n].state == "asks the model"]
            return asking[-1] if asking else None
        # Of several calls that run, the one whose last text the model is asked about.
        own = [n for n in here if seen.data.get("prompt") in _last(self.calls[n])]
        lane = next(iter(own or here), None)
        if lane is not None and "request" in seen.data:
            self.asked[seen.data["request"]] = lane
        return lane

    def _show(self, lane: int, state: str, value: Any) -> None:
        items = tuple(
            Item(
                f"{name}{one_line(text)}",
                self._whose(lane, text),
                isinstance(text, str),
            )
            for name, text in _values(value)
        )
        self.lanes[lane] = replace(self.lanes[lane], state=state, items=items)

    def _whose(self, lane: int, text: object) -> str:
        if not isinstance(text, str):
            return ""
        owners = self.owners.get(text, set())
        if lane in owners:
            return ""
        names = " and ".join(f"of {self.lanes[n].name}" for n in sorted(owners))
        return names or "of no call"


def steps(run: Run) -> tuple[Step, ...]:
    """Return the steps of a run, each with all that is known of each call."""
    calls = run.of("call")
    owners: dict[str, set[int]] = {}
    for number, call in enumerate(calls):
        for _, text in _values(call.data["args"]):
            owners.setdefault(str(text), set()).add(number)
    lanes = [
        Lane(f"call {n}", f"{_about(call)}, process {call.process}")
        for n, call in enumerate(calls, 1)
    ]
    telling, told = Telling(calls, lanes, owners), []
    for seen in [s for s in run.observations if s.kind in SHOWN][:STEPS_LIMIT]:
        title, lane = telling.take(seen)
        tells = lane is not None and seen.kind not in {"held", "answer"}
        told.append(Step(seen.number, title, lane, tuple(telling.lanes), tells))
    return tuple(told)


def _about(call: Observation) -> str:
    """Return the call's first text, which names who it is for."""
    texts = [text for _, text in _values(call.data["args"])]
    return one_line(texts[0]) if texts else str(call.data["function"])


def _last(call: Observation) -> list[object]:
    return [text for _, text in _values(call.data["args"])][-1:]


def _values(value: Any, name: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value inside lists and mappings, with its key before it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _values(item, f"{key}: ")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _values(item, "" if place else name)
    else:
        yield name, value
