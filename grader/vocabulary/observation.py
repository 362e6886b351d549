"""An observation is one immutable fact, and says itself in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


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
    status · `held` / `released` event, inside, expected ·
    `fault` what, event, stored, connections (how many were dropped) · `exit` code,
    signal · `limit` what, limit, found · `output` text, cut · `log` text, times ·
    `stored` threads, files, foreign, keys, rows, sizes_b, size_b (see
    `checkpoints.inspect`), database (the variable that names it) · `again` as
    `reply`, and the args as they are now.
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
        """Whether a latest checkpoint holds a text; one that cannot be read may."""
        found = [thread["texts"] for thread in self.data["threads"]]
        return any(texts is None or any(text in t for t in texts) for texts in found)

    @property
    def beside(self) -> str:
        """Which files were written that are not the database, to end a sentence."""
        own = ("-wal", "-shm", "-journal")  # SQLite's, beside any database
        files = [name for name in self.data["files"] if not name.endswith(own)]
        return f"; it wrote {', '.join(files)}" if files else ""

    def __str__(self) -> str:
        where = "" if self.process is None else f" process {self.process}"
        return f"#{self.number}{where} {_describe(self)}"

    def to_json(self) -> dict[str, Any]:
        """Return the observation as plain data."""
        return {
            "number": self.number,
            "kind": self.kind,
            "process": self.process,
            "at_ms": self.at_ms,
            "data": dict(self.data),
        }


def _describe(seen: Observation) -> str:
    data = seen.data
    words: dict[str, Callable[[], str]] = {
        "start": lambda: "restarts" if data.get("restarted") else "starts",
        "broken": lambda: f"cannot import the submission: {_error(data)}",
        "call": lambda: _call(data),
        "reply": lambda: f"reply {data['function']}: {_result(data)}",
        "again": lambda: f"shows {data['function']} again: {_result(data)}",
        "model": lambda: f"asks the model [{data['event']}]: {short(data['prompt'])}",
        "answer": lambda: f"model [{data['event']}] answers: {_answer(data)}",
        "charge": lambda: f"asks the ledger [charge]: {_charge(data)}",
        "held": lambda: f"is held at [{data['event']}]",
        "released": lambda: (
            f"[{data['event']}] is released, {data['inside']} of "
            f"{data['expected']} inside"
        ),
        "fault": lambda: _fault(data),
        "exit": lambda: f"ends {_exit(data)}",
        "limit": lambda: f"reaches a limit: {data['what']} ({data['limit']})",
        "log": lambda: f"logs: {short(data['text'], 200)}{_times(data['times'])}",
        "output": lambda: f"prints: {short(data['text'])}",
        "stored": lambda: f"the checkpoint database holds {_threads(data)}",
    }
    return words[seen.kind]() if seen.kind in words else seen.kind


def short(value: Any, length: int = 100) -> str:
    """Return the repr of a value, cut in the middle where it is long."""
    text = repr(value)
    half = length // 2 - 1
    return text if len(text) <= length else f"{text[:half]} … {text[-half:]}"


def _call(data: Mapping[str, Any]) -> str:
    if " " in data["function"]:  # an HTTP request: method and path
        return f"gets {data['function']} {_args(data['args'])}".rstrip()
    return f"call {data['function']}({_args(data['args'])})"


def _times(times: int) -> str:
    return f" ({times} times)" if times > 1 else ""


def _args(args: Iterable[Any]) -> str:
    return ", ".join(short(arg) for arg in args)


def _error(data: Mapping[str, Any]) -> str:
    line = f" (line {data['line']} of the submission)" if data.get("line") else ""
    return f"{data['error']}: {data['message']}{line}"


def _result(data: Mapping[str, Any]) -> str:
    if "value" in data:
        return short(data["value"])
    if data.get("status", 0) >= 300 and not str(data["error"]).startswith("HTTP "):
        return f"HTTP {data['status']}, {_error(data)}"
    return _error(data)


def _answer(data: Mapping[str, Any]) -> str:
    if data["status"] == 200:
        return short(data["text"])
    return f"HTTP {data['status']}" if data["status"] else "nothing, and hangs up"


def _charge(data: Mapping[str, Any]) -> str:
    asked = f"{data['amount']} for {short(data['order'], 40)}"
    key = f"key {short(data['key'], 50)}" if data["key"] else "no key"
    done = "nothing is charged"
    if data["charge_id"]:
        done = f"{'charged' if data['new'] else 'charged before'}, {data['charge_id']}"
    answers = {200: "", 0: "; it hangs up", -1: "; it never answers"}
    answer = answers.get(data["status"], f"; it answers HTTP {data['status']}")
    return f"{asked}, {key}: {done}{answer}"


def _fault(data: Mapping[str, Any]) -> str:
    if "connections" in data:
        return f"the database server ends all connections: {data['connections']}"
    return f"is {data['what']}" + (f" at [{data['event']}]" if data["event"] else "")


def _exit(data: Mapping[str, Any]) -> str:
    if data.get("signal"):
        return f"by signal {data['signal']}"
    return f"with exit code {data['code']}"


def _threads(data: Mapping[str, Any]) -> str:
    counts = [f"{t['checkpoints']} of {short(t['thread'])}" for t in data["threads"]]
    return f"checkpoints: {', '.join(counts)}" if counts else "no checkpoint"
