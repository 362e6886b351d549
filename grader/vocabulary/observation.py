"""An observation is one immutable fact, and says itself in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.vocabulary.describing import describe
from grader.vocabulary.describing import short as short


class CheckFailed(Exception):
    """Raised by a check: what was seen, the evidence, and perhaps a way out."""

    def __init__(
        self,
        rationale: str,
        because: Sequence[Observation] = (),
        help: str | None = None,  # None is what the check itself suggests
    ) -> None:
        super().__init__(rationale)
        self.rationale = rationale
        self.because = tuple(because)
        self.help = help


# What to look at when a call gave no value, by what it gave instead.
HELPS = {
    "hang": "what does this call wait for, or repeat without end?",
    "died": "what ends the whole process: os._exit, or a library that crashed?",
    "not_json": "return plain data: text, numbers, lists and dicts of them",
    "wrong_type": "does every path through the function return what the contract says?",
    "NameError": "the submission is a module of its own: names from other cells of the "
    "notebook are not visible in it",
    "MemoryError": "what does this call keep in memory?",
}


@dataclass(frozen=True, slots=True)
class Observation:
    """One immutable fact, numbered within its scenario.

    Kinds and the keys of their `data`:
    `start` pid, restarted · `broken` error, message, line · `call` id, function,
    args · `reply` id, function, and either value, or error, message, line; the
    status of an HTTP response · `model` event, request, prompt, messages · `answer`
    event, request, text, status · `charge` event, key, order, amount, charge_id, new,
    status · `fetch` event, request, user · `fetched` as `fetch`, and status (-1 where
    nobody waited for it), profile · `held` / `released` event, inside, expected,
    connections (of each process) · `queue` event, how ("waits", "asks"), behind
    (processes) ·
    `fault` what, event, stored, connections (how many were dropped) · `exit` code,
    signal · `limit` what, limit, found · `output` text, cut · `log` text, times ·
    `stored` threads, files, foreign, keys, rows, sizes_b, size_b (see
    `checkpoints.inspect`), database (the variable that names it), connections ·
    `again` as `reply`, and the args as they are now.
    """

    number: int
    kind: str
    process: int | None
    at_ms: float
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> Any:
        """What a reply returned; raises `CheckFailed` when it returned nothing."""
        if "value" in self.data:
            return self.data["value"]
        raise self.failure

    @property
    def ok(self) -> bool:
        """Whether a reply returned a value."""
        return "value" in self.data

    @property
    def failure(self) -> CheckFailed:
        """What ends a check for which a reply with a value is missing."""
        help = HELPS.get(str(self.data.get("error")), "")
        return CheckFailed(self.trouble, because=[self], help=help)

    @property
    def trouble(self) -> str:
        """Why a reply has no value, as a sentence without its full stop."""
        name, error = self.data.get("function"), self.data.get("error")
        where = f"process {self.process}"
        sentences = {
            "killed": f"{where} was killed before {name} returned",
            "hang": f"{name} did not return in {where}: {self.data.get('message')}",
            "not_run": f"{name} was not called in {where}: {self.data.get('message')}",
            "died": f"{where} ended before {name} returned",
            "not_json": f"{name} in {where} returned {self.data.get('message')}",
            "wrong_type": f"{name} in {where} returned {self.data.get('message')}",
            "broken": f"{where} could not import the submission",
            "refused": f"{where} took no connection for {name}",
            "disconnected": f"{where} hung up before it answered {name}",
            "hung_up": f"the client hung up before {where} answered {name}",
        }
        if self.data.get("status", 0) >= 300:
            raised = "" if str(error).startswith("HTTP ") else f": it raised {error}"
            return f"{where} answered {name} with HTTP {self.data['status']}{raised}"
        return sentences.get(str(error), f"{name} raised {error} in {where}")

    def at(self, key: str) -> Any:
        """What the dictionary that a reply returned holds at a key, or None."""
        value = self.value
        return value.get(key) if isinstance(value, Mapping) else None

    def texts(self, key: str) -> list[str]:
        """The list of texts at a key of a reply; raises `CheckFailed` without one."""
        found = self.at(key)
        if isinstance(found, list) and all(isinstance(text, str) for text in found):
            return found
        raise CheckFailed(f"the reply has no list of texts in `{key}`", because=[self])

    @property
    def text(self) -> str:
        """All that was said: by a request's messages, or an answer, or a log."""
        if self.kind == "model":
            return "\n".join(message["text"] for message in self.data["messages"])
        return str(self.data.get("text", ""))

    def keeps(self, text: str) -> bool:
        """Whether a latest checkpoint holds a text; where none can be read, one may."""
        found = [thread["texts"] for thread in self.data["threads"]]
        read = [texts for texts in found if texts is not None]
        if found and not read:
            return True
        return any(text in each for texts in read for each in texts)

    @property
    def beside(self) -> str:
        """Which files were written that are not the database, to end a sentence."""
        # SQLite's, beside any database, and the one that a server listens at.
        own = ("-wal", "-shm", "-journal", ".sock")
        files = [name for name in self.data["files"] if not name.endswith(own)]
        return f"; it wrote {', '.join(files)}" if files else ""

    def __str__(self) -> str:
        where = "" if self.process is None else f" process {self.process}"
        return f"#{self.number}{where} {describe(self.kind, self.data)}"

    def to_json(self) -> dict[str, Any]:
        """Return the observation as plain data."""
        return {
            "number": self.number,
            "kind": self.kind,
            "process": self.process,
            "at_ms": self.at_ms,
            "data": dict(self.data),
        }
