"""Runs made by hand: what the harness records, without the harness."""

from __future__ import annotations

from typing import Any

from grader.vocabulary import Observation, Run
from grader.vocabulary.drawn import Drawn


def run(description: str, *events: tuple[int | None, str, dict[str, Any]]) -> Run:
    """Return a run of (process, kind, data), numbered from 1."""
    seen = tuple(
        Observation(number, kind, process, number * 12.5, data)
        for number, (process, kind, data) in enumerate(events, 1)
    )
    return Run("example", description, Drawn({}), seen)


def start(process: int, restarted: bool = False) -> tuple[int, str, dict[str, Any]]:
    return process, "start", {"pid": 4000 + process, "restarted": restarted}


def call(process: int, id: int, *args: Any, function: str = "chat") -> Any:
    return process, "call", {"id": id, "function": function, "args": list(args)}


def reply(process: int, id: int, value: Any, function: str = "chat") -> Any:
    return process, "reply", {"id": id, "function": function, "value": value}


def no_reply(
    process: int, id: int, error: str, message: str = "", function: str = "chat"
) -> Any:
    data = {"id": id, "function": function, "error": error, "message": message}
    return process, "reply", {**data, "line": 12}


def asks(process: int, event: str, prompt: str = "hello") -> Any:
    data = {"event": event, "request": 1, "prompt": prompt, "messages": []}
    return process, "model", data


def answers(process: int, event: str, text: str = "hello") -> Any:
    data = {"event": event, "request": 1, "text": text, "status": 200}
    return process, "answer", data


def stored(count: int, thread: str = "user-3fa2c1") -> Any:
    threads = [{"thread": thread, "checkpoints": count}] if count else []
    return None, "stored", {"threads": threads, "files": []}


def exit(process: int, signal: str | None = None) -> Any:
    return process, "exit", {"code": None if signal else 0, "signal": signal}


HAND_OVER = run(
    "process 0 is told a name; process 1 is asked for it",
    start(0),
    start(1),
    call(0, 0, "user-3fa2c1", "My name is Bagil."),
    asks(0, "draft"),
    answers(0, "draft"),
    asks(0, "polish"),
    answers(0, "polish"),
    reply(0, 0, "Hello Bagil (ref 81c3)"),
    stored(0),
    call(1, 1, "user-3fa2c1", "What is my name?"),
    asks(1, "draft"),
    answers(1, "draft"),
    asks(1, "polish"),
    answers(1, "polish"),
    reply(1, 1, "I do not know your name. (ref 90aa)"),
    stored(0),
    exit(0),
    exit(1),
)
KILLED = run(
    "process 0 is killed while the model works on polish; process 1 resumes",
    start(0),
    start(1),
    call(0, 0, "user-77ab01", "Write a poem about rivers."),
    asks(0, "draft"),
    answers(0, "draft"),
    asks(0, "polish"),
    (0, "held", {"event": "polish"}),
    (0, "fault", {"what": "killed", "event": "polish", "stored": 2}),
    no_reply(0, 0, "killed"),
    exit(0, "SIGKILL"),
    stored(2),
    call(1, 1, "user-77ab01", function="resume"),
    asks(1, "draft"),
    answers(1, "draft"),
    asks(1, "polish"),
    answers(1, "polish"),
    reply(1, 1, "A river runs (ref 4f)", function="resume"),
    exit(1),
)
FOUR = run(
    "four processes answer at the same time, held at polish until all are inside",
    *(start(p) for p in range(4)),
    *(call(p, p, f"user-{p}a3f1c", f"My number is {p}417.") for p in range(4)),
    *(asks(p, "draft") for p in range(4)),
    *(answers(p, "draft") for p in (1, 0, 3, 2)),
    *(
        e
        for p in (1, 0, 3, 2)
        for e in (asks(p, "polish"), (p, "held", {"event": "polish"}))
    ),
    (None, "released", {"event": "polish", "inside": 4, "expected": 4}),
    *(answers(p, "polish") for p in range(4)),
    reply(0, 0, "Noted: 0417 (ref 1a)"),
    reply(2, 2, "Noted: 2417 (ref 1b)"),
    no_reply(1, 1, "OperationalError", "database is locked"),
    reply(3, 3, "Noted: 3417 (ref 1d)"),
    *(exit(p) for p in range(4)),
)
RESTARTED = run(
    "all processes restart between two turns",
    *(start(p) for p in range(3)),
    call(0, 0, "user-1", "My name is Bagil."),
    asks(0, "draft"),
    answers(0, "draft"),
    reply(0, 0, "Hello Bagil"),
    *(
        e
        for p in range(3)
        for e in ((p, "fault", {"what": "told to stop", "event": None}), exit(p))
    ),
    *(start(p, restarted=True) for p in range(3)),
    call(2, 1, "user-1", "What is my name?"),
    asks(2, "draft"),
    answers(2, "draft"),
    reply(2, 1, "Your name is Bagil"),
    *(exit(p) for p in range(3)),
)
BROKEN = run(
    "two processes import the submission",
    start(0),
    (0, "broken", {"error": "NameError", "message": "name 'x' is gone", "line": 3}),
    no_reply(0, 0, "broken"),
    (0, "limit", {"what": "memory", "limit": "1 GiB", "found": "1.2 GiB"}),
    exit(0, None),
)
AT_ONCE = run(
    "two users are held at the model in one process",
    start(0),
    call(0, 0, "user-1", "I am Bagil.", function="handle"),
    call(0, 1, "user-2", "I am Sonos.", function="handle"),
    asks(0, "look", "I am Sonos."),
    (0, "held", {"event": "look"}),
    asks(0, "look", "I am Bagil."),
    (0, "held", {"event": "look"}),
    (None, "released", {"event": "look", "inside": 2, "expected": 2}),
    reply(
        0, 1, {"user_id": "user-2", "messages": ["I am Sonos."], "count": 2}, "handle"
    ),
    reply(
        0, 0, {"user_id": "user-2", "messages": ["I am Sonos."], "count": 2}, "handle"
    ),
    exit(0),
)
MANY = run(
    "20 requests are inside the upstream at the same time",
    start(0),
    *(call(0, n, f"/profile/user-{n}", function="GET") for n in range(20)),
    *(reply(0, n, {"status": 200}, function="GET") for n in range(20)),
    exit(0),
)
ROUNDS = run(
    "ten calls at once in one process, twice",
    start(0),
    *(call(0, n, n) for n in range(10)),
    asks(0, "draft"),
    *(reply(0, n, n) for n in reversed(range(10))),
    *(call(0, n, n) for n in range(10, 20)),
    asks(0, "draft"),
    (0, "fault", {"what": "killed", "event": "draft", "stored": None}),
    *(no_reply(0, n, "killed") for n in range(10, 20)),
    exit(0, "SIGKILL"),
)
LOOP = run(
    "a question that the model never settles",
    start(0),
    call(0, 0, "t", "why?", function="research"),
    *(e for _ in range(50) for e in (asks(0, "try"), answers(0, "try"))),
    no_reply(0, 0, "GraphRecursionError", "Recursion limit of 50 reached"),
    exit(0),
)
EVERY = {
    "hand_over": (HAND_OVER, (8, 15)),
    "killed": (KILLED, (8, 13)),
    "four": (FOUR, ()),
    "restarted": (RESTARTED, ()),
    "broken": (BROKEN, ()),
    "at_once": (AT_ONCE, (9, 10)),
    "many": (MANY, ()),
    "many_with_evidence": (MANY, (5, 41)),
    "rounds": (ROUNDS, (3, 23, 34)),
    "loop": (LOOP, ()),
    "stored": (HAND_OVER, (9, 15)),
    "nothing": (run("nothing happens"), ()),
}
