"""Reads every value of a checkpoint database as data: nothing is revived or run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from grader.harness.decoding import TEXT_LENGTH, Named, decode
from grader.harness.leaks import Secrets

SCALARS = (str, int, float, bool, type(None))
DEPTH_LIMIT = 40
FOREIGN_LIMIT = 20
CHANNELS_LIMIT = 12
FIELDS_LIMIT = 8
# A database is looked at after every call, and most of it is as it was: so many values
KNOWN_LIMIT, KNOWN_B = 1024, 8192  # are remembered, each at most so long


@dataclass(frozen=True, slots=True)
class Row:
    """One value as a saver stored it, whatever the database.

    `place` is checkpoint, write, metadata, or channel where a saver stores the values
    of channels beside the checkpoints; `channel` is set for a write or a channel.
    """

    thread: str
    namespace: str
    checkpoint: str
    place: str
    channel: str
    form: str
    blob: bytes


def foreign(rows: Iterable[Row]) -> list[dict[str, str]]:
    """Return values that are neither plain data nor a message: where, and what type."""
    found: dict[tuple[str, str, str], None] = {}
    for row in rows:
        look = _remembered if len(row.blob) <= KNOWN_B else _strangers
        for where, kind in look(row.place, row.channel, row.form, row.blob):
            found[row.thread, where, kind] = None
            if len(found) >= FOREIGN_LIMIT:
                break
    return [{"thread": t, "where": w, "type": k} for t, w, k in found]


def channels(rows: Iterable[Row], secrets: Secrets) -> list[dict[str, str]]:
    """Return the channels of one checkpoint: name, type, and the value as text.

    The rows are the checkpoint's, and those of channels stored beside it. Secrets are
    masked, and fields that hold one come first, so that no cut hides them.
    """
    values = {n: v for row in rows for n, v in _channel_values(row).items()}
    return [
        {
            "channel": secrets.masked(str(name))[:TEXT_LENGTH],
            "type": _type(value),
            "text": _shown(value, secrets),
        }
        for name, value in list(values.items())[:CHANNELS_LIMIT]
        if not str(name).startswith(("branch:", "__pregel"))
    ]


def sizes_b(rows: Iterable[Row]) -> dict[str, list[int]]:
    """Return the bytes of each checkpoint and all that belongs to it, by thread."""
    sizes: dict[str, dict[str, int]] = {}
    for row in rows:
        of_thread = sizes.setdefault(row.thread, {})
        key = f"{row.namespace}/{row.checkpoint}"
        of_thread[key] = of_thread.get(key, 0) + len(row.blob)
    return {thread: list(found.values()) for thread, found in sizes.items()}


def _strangers(
    place: str, channel: str, form: str, blob: bytes
) -> Iterator[tuple[str, str]]:
    head = f"{place} {channel}".strip()
    try:
        value = decode(form, blob)
    except ValueError:
        yield head, f"what no other program can read ({form[:40]})"
        return
    if place == "checkpoint" and not isinstance(value, dict):
        yield head, f"what is no checkpoint ({form})"
    if place == "checkpoint" and isinstance(value, dict):
        found = _channels_of(value)
        parts = {f"channel {k}": v for k, v in found.items()}
        # A saver of their own may keep what it stores beside the channels.
        parts |= {
            f"{head} {k}": v
            for k, v in value.items()
            if k != "channel_values" or not found
        }
    else:
        parts = {head: value}
    for where, part in parts.items():
        for kind in _kinds(part, DEPTH_LIMIT):
            yield where[:TEXT_LENGTH], kind[:TEXT_LENGTH]


_remembered = lru_cache(KNOWN_LIMIT)(lambda *row: dict.fromkeys(_strangers(*row)))


def _kinds(value: Any, depth: int) -> Iterator[str]:
    if depth == 0:
        yield "values nested too deeply"
    elif isinstance(value, Named):
        if not value.is_data:
            yield value.name
        yield from _kinds(value.made_from, depth - 1)
    elif isinstance(value, dict | list | tuple):
        parts = (*value, *value.values()) if isinstance(value, dict) else value
        for part in parts:
            if type(part) not in SCALARS:  # most are; looking at them takes longest
                yield from _kinds(part, depth - 1)
    elif isinstance(value, bytes) and _is_pickle(value):
        yield "a pickle"


def _is_pickle(value: bytes) -> bool:
    # Protocols 2 to 5 begin with their number and end with a stop; 0 and 1 are old.
    return value[:1] == b"\x80" and value[1:2] in b"\2\3\4\5" and value[-1:] == b"."


def _channel_values(row: Row) -> Mapping[Any, Any]:
    with contextlib.suppress(ValueError):
        state = decode(row.form, row.blob)
        if row.place == "channel":
            return {row.channel: state}
        return _channels_of(state)
    return {}


def _channels_of(state: Any) -> dict[Any, Any]:
    values = state.get("channel_values") if isinstance(state, dict) else None
    return dict(values) if isinstance(values, dict) else {}


def _type(value: Any, depth: int = 4) -> str:
    if isinstance(value, Named):
        return value.name[:TEXT_LENGTH]
    if isinstance(value, list) and value and depth:
        return f"list of {_type(value[0], depth - 1)}"
    return "None" if value is None else type(value).__name__


def _shown(value: Any, secrets: Secrets) -> str:
    try:
        return _text(value, secrets)
    except RecursionError:  # what is left out in depth is made a text in full first
        return "(nested too deep to be shown)"


def _text(value: Any, secrets: Secrets, depth: int = 4) -> str:
    if depth == 0:
        return "…"
    if isinstance(value, Named):
        name = value.name.rpartition(".")[2]
        return f"{name}({_text(value.made_from, secrets, depth - 1)})"[:TEXT_LENGTH]
    if isinstance(value, Mapping):
        items = [(k, v) for k, v in value.items() if v not in (None, "", [], {}, False)]
        items.sort(key=lambda item: not secrets.stand_in(str(item[1])))
        shown = items[:FIELDS_LIMIT]
        fields = [f"{k}={_text(v, secrets, depth - 1)}" for k, v in shown]
        return ", ".join(fields + ["…"] * (len(items) > FIELDS_LIMIT))[:TEXT_LENGTH]
    if isinstance(value, list | tuple):
        return f"[{', '.join(_text(v, secrets, depth - 1) for v in value[:4])}]"
    return secrets.masked(repr(value))[:TEXT_LENGTH]
