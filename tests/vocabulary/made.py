"""Runs made by hand for the words that checks are written in."""

from __future__ import annotations

from typing import Any

from grader.vocabulary import Drawn, Observation, Run

Event = tuple[int | None, str, dict[str, Any]]


def run(*events: Event, **drawn: str) -> Run:
    """Return a run of (process, kind, data), numbered from 1."""
    seen = tuple(
        Observation(number, kind, process, float(number), data)
        for number, (process, kind, data) in enumerate(events, 1)
    )
    return Run("only", "something happens", Drawn(drawn), seen)


def call(id: int, *args: Any, process: int = 0) -> Event:
    return process, "call", {"id": id, "function": "chat", "args": list(args)}


def reply(id: int, value: Any, process: int = 0) -> Event:
    return process, "reply", {"id": id, "function": "chat", "value": value}


def raised(id: int, error: str, process: int = 0) -> Event:
    data = {"id": id, "function": "chat", "error": error, "message": "oh", "line": 3}
    return process, "reply", data


def asked(request: int, *texts: str, event: str = "model") -> Event:
    messages = [{"role": "user", "text": text} for text in texts]
    prompt = texts[-1] if texts else ""
    data = {"event": event, "request": request, "prompt": prompt, "messages": messages}
    return 0, "model", data


def answered(request: int, text: str, event: str = "model", status: int = 200) -> Event:
    data = {"event": event, "request": request, "text": text, "status": status}
    return 0, "answer", data


def charge(
    order: str, amount: int = 900, id: str = "ch_1", new: bool = True, key: str = ""
) -> Event:
    data = {"event": "charge", "key": key, "order": order, "amount": amount}
    return 0, "charge", {**data, "charge_id": id, "new": new, "status": 200}


def killed(process: int = 0) -> Event:
    return process, "fault", {"what": "killed", "event": "polish", "stored": True}


def logged(text: str) -> Event:
    return 1, "log", {"text": text, "times": 1}


def stored(*texts: list[str] | None, files: tuple[str, ...] = ()) -> Event:
    threads = [
        {"thread": f"thread-{n}", "checkpoints": 2, "texts": found}
        for n, found in enumerate(texts)
    ]
    data = {"threads": threads, "files": [*files], "database": "CHECKPOINT_DB"}
    return None, "stored", data
