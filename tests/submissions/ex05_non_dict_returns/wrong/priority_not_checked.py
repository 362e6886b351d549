"""Any priority is passed on as it came. Caught by: invalid_reported."""

import json

from langchain_openai import ChatOpenAI

llm = ChatOpenAI(model="gpt-4o-mini")
STATUS = {"question": "answered", "refund": "refunded", "outage": "escalated"}
STEPS = {
    "question": ["answer"],
    "refund": ["refund"],
    "outage": ["customer", "product"],
}
PRIORITIES = ("low", "normal", "high")


def prompt(step, ticket):
    return [("system", f"[{step}] Help."), ("user", ticket["text"])]


def say(step, ticket):
    return llm.invoke(prompt(step, ticket)).content


def read(said):
    """The kind and the priority, or None."""
    try:
        found = json.loads(said)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    kind, priority = found.get("kind"), found.get("priority")
    if not isinstance(kind, str) or kind not in STEPS or priority not in PRIORITIES:
        return None
    return kind, priority


def invalid(said):
    return {"status": f"invalid: {said}", "priority": "normal", "notes": []}


def triage(ticket):
    said = say("sort", ticket)
    try:
        found = json.loads(said)
        kind, priority = found["kind"], found["priority"]
        assert kind in STEPS
    except Exception:
        return invalid(said)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        notes = list(pool.map(lambda s: say(s, ticket), STEPS[kind]))
    return {"status": STATUS[kind], "priority": priority, "notes": notes}
