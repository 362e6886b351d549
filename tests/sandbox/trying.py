"""How an attack is run inside the walls, and what it says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.vocabulary import Verdict, process
from tests.harness.small import CONTRACT, Warm, exercise

DATA = ("look(what) -> data",)
ANSWERS = "def chat(thread_id, text):\n    return 'a'\n"
# What an attack says of itself: the value that it got, or the error that it met.
TRIES = """
import json, os, signal, socket, sys, threading

def tried(attack):
    try:
        return {"got": repr(attack())[:200]}
    except BaseException as problem:
        return {"met": type(problem).__name__}
"""


def look(
    warm: Warm, text: str, *what: Any, processes: int = 1, keep: Path | None = None
) -> list[Any]:
    """Return what each process replied to `look(what)`, or the trouble it had."""
    calls = [process(n % processes).calls("look", one) for n, one in enumerate(what)]
    order = warm.order(TRIES + text, exercise(*calls, contract=DATA))
    run = warm.run(warm.harness.run(order, keep=keep)).runs["only"]
    return [reply.value if reply.ok else reply.trouble for reply in run.replies]


def judged(warm: Warm, text: str) -> Verdict:
    """Return the verdict on a submission with `chat`."""
    return warm.outcome(TRIES + text, exercise(contract=CONTRACT)).verdict
