"""What the night of ex10 shows: for each symptom its cause, and its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.vocabulary import Run

# What can be wrong with an application; each was an exercise.
CAUSES: Mapping[str, str] = {
    "a": "a variable that all requests share",
    "b": "memory that only this process sees",
    "c": "a key that is new in each attempt",
    "d": "a loop that only the model can end",
    "e": "an object with a secret in the state",
    "f": "a blocking call in an async function",
    "g": "a connection that nobody looks at before it is used",
    "h": "a node that returns the wrong thing",
}


@dataclass(frozen=True, slots=True)
class Symptom:
    """One thing that customers, the bank or an auditor notice.

    `shown` are the observations of a run that show it, `needed` is how many of them
    are needed to see it.
    """

    says: str
    module: str
    cause: str
    shown: Callable[[Run], set[int]]
    needed: int = 1


def another_name(run: Run) -> set[int]:
    """The replies that name another customer than the one who called."""
    calls = {id(reply): run.call(reply).data["args"] for reply in run.replies}
    return {
        reply.number
        for reply in run.replies
        if reply.ok
        and (args := calls[id(reply)])
        and reply.at("user_id") != args[0].get("user_id")
    }


def forgotten(run: Run) -> set[int]:
    """The replies that lack a word which was stored when the question came."""
    found = set()
    for reply in run.replies:
        args = run.call(reply).data["args"] if run.of("call") else []
        if not reply.ok or not args or "What is my" not in args[0].get("text", ""):
            continue
        words = [word for name, word in run.drawn.values.items() if "word" in name]
        if not any(word in str(reply.at("answer")) for word in words):
            found.add(reply.number)
    return found


def charged_twice(run: Run) -> set[int]:
    """The charges of an order that was charged more than once."""
    made = [seen for seen in run.of("charge") if seen.data["new"]]
    orders = [seen.data["order"] for seen in made]
    return {seen.number for seen in made if orders.count(seen.data["order"]) > 1}


def no_end(run: Run) -> set[int]:
    """The requests to the model that come after the third for one question."""
    asked: dict[str, list[int]] = {}
    for seen in run.of("model"):
        said = [m["text"] for m in seen.data["messages"] if m["role"] == "user"]
        asked.setdefault(f"{seen.process} {said[-1:]}", []).append(seen.number)
    return {number for numbers in asked.values() for number in numbers[3:]}


def key_at_rest(run: Run) -> set[int]:
    """The looks at the database that found a key in it."""
    return {seen.number for seen in run.stored if seen.data["keys"]}


SYMPTOMS: Mapping[str, Symptom] = {
    "another_name": Symptom(
        "an answer is signed for another customer", "customers.py", "a", another_name
    ),
    "forgotten": Symptom(
        "a customer is asked again for what they have said",
        *("storage.py", "b", forgotten),
    ),
    "charged_twice": Symptom(
        "one order is on the bill twice", "payments.py", "c", charged_twice, 2
    ),
    "no_end": Symptom(
        "one question costs thirteen calls of the model", "agent.py", "d", no_end
    ),
    "key_at_rest": Symptom(
        "an auditor finds a key of the model in a backup", "app.py", "e", key_at_rest
    ),
}
