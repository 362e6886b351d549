"""The words and the shape with which a timeline draws one observation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grader.vocabulary import Observation

LOG_LIMIT = 40  # characters of a line of a log
LABEL_LIMIT = 200  # characters of one label, before it is fitted to its place
# Drawn without a number, unless they are evidence: a call has many of them.
UNNUMBERED = {"model", "held", "answer", "fetch"}
NO_REPLY = {
    "killed": "no reply: killed",
    "hang": "no reply: hangs",
    "died": "no reply: the process ended",
    "not_run": "no reply: not called",
    "broken": "no reply: no import",
    "hung_up": "no reply: its client hung up",
}


def leaves(value: object) -> Iterator[object]:
    """Yield what stands in a value of lists and mappings, keys left out."""
    if isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from leaves(item)
    else:
        yield value


def one_line(text: object) -> str:
    """Return text that fits in one line and cannot steer what shows it."""
    flat = " ".join(str(text)[: 4 * LABEL_LIMIT].split())
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in flat
    )


def call_words(seen: Observation) -> tuple[str, str]:
    """Return a call as it would be written in Python, and shorter.

    The last argument says what is asked; those before it often repeat.
    """
    name = str(seen.data.get("function"))
    if _is_request(seen):
        values = [repr(value)[:LABEL_LIMIT] for value in leaves(seen.data["args"])]
        full = f"{name} {', '.join(values)}"
        return one_line(full), one_line(values[-1] if values else full)
    args = [repr(arg)[:LABEL_LIMIT] for arg in seen.data.get("args", ())]
    short = ["…", args[-1]] if len(args) > 1 else args
    return one_line(f"{name}({', '.join(args)})"), one_line(
        f"{name}({', '.join(short)})"
    )


def reply_words(seen: Observation) -> str:
    """Return what came back from a call, or why nothing did."""
    if seen.ok:
        value = seen.data["value"]
        only = _is_request(seen) and isinstance(value, dict) and len(value) == 1
        return one_line(repr(next(iter(value.values())) if only else value))
    if seen.data.get("status", 0) >= 300:
        return one_line(f"{seen.data['status']}: {seen.data.get('message')}")
    error, message = str(seen.data.get("error")), seen.data.get("message")
    if error in {"not_json", "wrong_type"}:
        return one_line(f"returned {message}")
    return NO_REPLY.get(error) or one_line(f"raised {error}: {message}")


def mark_words(seen: Observation, strong: bool) -> str:
    """Return the words beside a mark, with a number where one may look for it."""
    words = _words(seen)
    numbered = seen.kind not in UNNUMBERED or strong
    return f"#{seen.number} {words}" if numbered else words


def shape(seen: Observation) -> str:
    """Return the shape of a mark."""
    if seen.kind == "fault":
        if seen.process is None:  # what happens to all of them
            return "line"
        return "killed" if seen.data.get("what") == "killed" else "stopped"
    alike = {"released": "line", "fetch": "model", "queue": "held"}
    return alike.get(seen.kind, seen.kind)


def _words(seen: Observation) -> str:
    data = seen.data
    words = {
        "start": "restarts" if data.get("restarted") else "starts",
        "broken": f"no import: {data.get('error')}",
        "model": data.get("event"),
        "answer": f"{data.get('event')} answered",
        "charge": _charge(data),
        "fetch": data.get("event"),
        "fetched": f"{data.get('event')} answered",
        "held": "held",
        "queue": "asks again" if data.get("how") == "asks" else "waits",
        "released": f"{data.get('event')} released, {data.get('inside')} of "
        f"{data.get('expected')} inside",
        "fault": "stops" if data.get("what") == "told to stop" else data.get("what"),
        "limit": f"limit: {data.get('what')}",
        "output": "prints",
        "log": f"log: {str(data.get('text')).rpartition(': ')[2][:LOG_LIMIT]}",
        "exit": "ends",
        "stored": _stored(data),
    }
    return one_line(words.get(seen.kind, seen.kind))


def _is_request(seen: Observation) -> bool:
    """Whether a call or reply is an HTTP request's: its function is "POST /path"."""
    return " " in str(seen.data.get("function"))


def _charge(data: Mapping[str, Any]) -> str:
    if data.get("new"):
        return f"{data.get('amount')} charged"
    return "no new charge" if data.get("charge_id") else "no charge"


def _stored(data: Mapping[str, Any]) -> str:
    count = sum(thread.get("checkpoints", 0) for thread in data.get("threads", ()))
    return f"{count} {'checkpoint' if count == 1 else 'checkpoints'}"
