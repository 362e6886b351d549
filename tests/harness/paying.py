"""A submission that pays, with what key, and what was charged for it."""

from __future__ import annotations

from grader.vocabulary import Run, process
from grader.vocabulary.scenario import Step

# Pays with the standard library only; a thread's text is its idempotency key.
PAYS = """
import json, os, urllib.error, urllib.request

SHORT = []

def chat(thread_id, text):
    timeout = SHORT.pop() if SHORT else 20
    request = urllib.request.Request(
        os.environ["LEDGER_URL"] + "/charges",
        json.dumps({"order_id": thread_id, "amount": 700}).encode(),
        {"Idempotency-Key": text},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return json.load(response)["id"]
    except urllib.error.HTTPError as refused:
        return str(refused.code)
    except OSError as problem:
        return type(problem).__name__
"""


def pays(number: int, key: str = "k") -> Step:
    return process(number).calls("chat", "{thread}", key)


def charged(run: Run) -> list[tuple[int | None, bool, int]]:
    """Return who asked for each charge, whether it is new, and the answer's status."""
    return [(s.process, s.data["new"], s.data["status"]) for s in run.of("charge")]
