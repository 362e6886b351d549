"""Collects the texts of a checkpoint, whatever database it is from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from grader.harness.contents import Row
from grader.harness.decoding import VALUE_LIMIT_B, unpack

TEXTS_LIMIT = 200  # texts of one checkpoint that are kept
TEXT_LENGTH = 300


def texts(rows: Iterable[Row]) -> list[str] | None:
    """Return the texts in a checkpoint's channels, those stored beside it included.

    None where a part is of a form that cannot be read without running code.
    """
    try:
        values = [_values(row) for row in rows]
        return [text[:TEXT_LENGTH] for text in islice(_walk(values), TEXTS_LIMIT)]
    except (ValueError, TypeError, RecursionError):
        return None


def _values(row: Row) -> Any:
    if len(row.blob) > VALUE_LIMIT_B:
        raise ValueError(f"expected at most {VALUE_LIMIT_B} bytes")
    if row.form == "msgpack":
        # An extension names a class and its arguments; it is read as the arguments.
        value = unpack(row.blob, lambda _, inner: inner)
    elif row.form == "json":
        value = json.loads(row.blob)
    elif row.place == "channel" and row.form in ("null", "bytes", "bytearray"):
        return None
    else:
        raise ValueError(f"expected data, found {row.form}")
    if row.place == "checkpoint" and isinstance(value, dict):
        return value.get("channel_values", {})
    return value


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _walk(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _walk(item)
