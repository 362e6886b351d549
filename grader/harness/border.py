"""Reads what a submission says: JSON of limited size and depth, text without tricks."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from grader.harness.limits import TEXT_LIMIT

FILE = re.compile(r"[a-z0-9_]{1,45}\.py")
DEPTH_LIMIT = 50  # of lists and objects inside each other in one reply


def parse(data: bytes) -> Any:
    """Return the JSON value of what crossed the border.

    Raises:
        ValueError: it is no JSON (NaN and its like are none), or too deep.
    """
    try:
        value = json.loads(data, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    if _deeper(value, DEPTH_LIMIT):
        raise ValueError("it is nested too deep")
    return value


def clean(text: str, length: int) -> str:
    """Return at most `length` characters that cannot steer what shows them."""
    # What a submission says may hold terminal codes or half a surrogate pair.
    return "".join(
        c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}"
        for c in text[:length]
    )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    """Return a number that JSON can hold again; 1e400 is read as infinity."""
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number[:40]} is too large a number")
    return value


def _deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in items)


def trouble(message: dict[str, Any]) -> dict[str, Any]:
    """Return what a message says went wrong: error, message, and line if it has one.

    Where the submission has several modules, the file of that line too.
    """
    line, file = message.get("line"), message.get("file")
    named = isinstance(file, str) and FILE.fullmatch(file) is not None
    return {
        **({"file": file} if named else {}),
        "error": clean(str(message.get("error")), 100),
        "message": clean(str(message.get("message")), TEXT_LIMIT),
        "line": line if isinstance(line, int) and line > 0 else None,
    }
