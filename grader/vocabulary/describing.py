"""Each kind of observation in one line of words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def describe(kind: str, data: Mapping[str, Any]) -> str:
    """Return what an observation of this kind says, its number and process left out."""
    words: dict[str, Callable[[], str]] = {
        "start": lambda: "restarts" if data.get("restarted") else "starts",
        "broken": lambda: f"cannot import the submission: {_error(data)}",
        "call": lambda: _call(data),
        "reply": lambda: f"reply {data['function']}: {_result(data)}",
        "again": lambda: f"shows {data['function']} again: {_result(data)}",
        "model": lambda: f"asks the model [{data['event']}]: {short(data['prompt'])}",
        "answer": lambda: f"model [{data['event']}] answers: {_answer(data)}",
        "charge": lambda: f"asks the ledger [charge]: {_charge(data)}",
        "fetch": lambda: f"asks the upstream [profile]: {short(data['user'], 40)}",
        "fetched": lambda: f"upstream [profile] answers: {_fetched(data)}",
        "held": lambda: f"is held at [{data['event']}]",
        "released": lambda: (
            f"[{data['event']}] is released, {data['inside']} of "
            f"{data['expected']} inside{_why(data)}"
        ),
        "queue": lambda: _queue(data),
        "fault": lambda: _fault(data),
        "exit": lambda: f"ends {_exit(data)}",
        "limit": lambda: f"reaches a limit: {data['what']} ({data['limit']})",
        "log": lambda: f"logs: {short(data['text'], 200)}{_times(data['times'])}",
        "output": lambda: f"prints: {short(data['text'])}",
        "stored": lambda: f"the checkpoint database holds {_stored(data)}",
    }
    return words[kind]() if kind in words else kind


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
    where = place(data)
    return f"{data['error']}: {data['message']}{f' ({where})' if where else ''}"


def place(data: Mapping[str, Any]) -> str:
    """Return where in a submission something was raised, "" where nobody knows.

    A line is the cell's; the file is said where the submission has several.
    """
    if not data.get("line"):
        return ""
    if data.get("file"):
        return f"{data['file']}, line {data['line']}"
    return f"line {data['line']} of the submission"


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


def _fetched(data: Mapping[str, Any]) -> str:
    if data["status"] == 200:
        return short(data["profile"])
    what = {0: "nothing, and hangs up", -1: "nobody, for its caller hung up"}
    said = what.get(data["status"], f"HTTP {data['status']}")
    return f"{said}, about {short(data['user'], 40)}"


def _fault(data: Mapping[str, Any]) -> str:
    if "connections" in data:
        return f"the database server ends all connections: {data['connections']}"
    return f"is {data['what']}" + (f" at [{data['event']}]" if data["event"] else "")


def _why(data: Mapping[str, Any]) -> str:
    return f": {data['why']}" if data.get("why") else ""


def _queue(data: Mapping[str, Any]) -> str:
    if data["how"] == "asks":
        return "asks the database again and again, and waits for no lock"
    if data["behind"]:
        others = " and ".join(f"process {number}" for number in data["behind"])
        return f"waits for a lock of {others}"
    return f"waits for [{data['event']}], which another replica is making"


def _exit(data: Mapping[str, Any]) -> str:
    if data.get("signal"):
        return f"by signal {data['signal']}"
    return f"with exit code {data['code']}"


def _stored(data: Mapping[str, Any]) -> str:
    counts = [f"{t['checkpoints']} of {short(t['thread'])}" for t in data["threads"]]
    found = f"checkpoints: {', '.join(counts)}" if counts else "no checkpoint"
    places = dict.fromkeys(key["where"] for key in data.get("keys", ()))
    return f"{found}; an API key in {', '.join(places)}" if places else found
