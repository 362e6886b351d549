"""Decodes one stored value as data: nothing is revived or run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ormsgpack

FORMS = ("msgpack", "json", "null", "bytes", "bytearray")  # what is data
# Types that LangGraph's strict mode revives as they were: data with a name.
DATA_MODULES = ("datetime", "decimal", "ipaddress", "pathlib", "re", "uuid", "zoneinfo")
DATA_TYPES = ("builtins.set", "builtins.frozenset", "collections.deque")
# Messages, what is retrieved for them, and LangGraph's own notes.
OWN = ("langchain_core.messages.", "langchain_core.documents.", "langgraph.")
ARRAY, SNAPSHOT = 6, 7  # extensions of LangGraph that name no class
VALUE_LIMIT_B = 1024 * 1024  # as data a value takes up to sixty times its bytes
# Extensions inside each other: each may hold lists as deep as ormsgpack reads them, and
# all of it is on the stack of this process at once.
EXTENSIONS_LIMIT = 12
TEXT_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Named:
    """A value that names a class: which, and what it would be made from."""

    name: str
    made_from: Any

    @property
    def is_data(self) -> bool:
        """Whether it is a message, LangGraph's own, or data with a name."""
        module = self.name.partition(".")[0]
        known = module in DATA_MODULES or self.name in DATA_TYPES
        return known or self.name.startswith(OWN)


def decode(form: str, blob: bytes) -> Any:
    """Return a stored value as data, with a `Named` where it names a class.

    Raises:
        ValueError: it is of a form that cannot be read without running code.
    """
    if len(blob) > VALUE_LIMIT_B:
        raise ValueError(f"expected at most {VALUE_LIMIT_B} bytes, found {len(blob)}")
    try:
        if form == "msgpack":
            return unpack(blob, _named)
        if form == "json":
            return json.loads(blob or b"null")
        if form in FORMS:
            return bytes(blob) if form != "null" else None
    except (ValueError, TypeError, RecursionError) as problem:
        raise ValueError(f"expected {form}, found {problem}") from None
    raise ValueError(f"expected one of {', '.join(FORMS)}, found {form}")


def unpack(
    blob: bytes, made: Callable[[int, Any], Any], left: int = EXTENSIONS_LIMIT
) -> Any:
    """Return what msgpack holds; `made` tells what an extension's content stands for.

    Raises:
        ValueError: it is no msgpack, or nested too deep.
    """

    def hook(code: int, data: bytes) -> Any:
        if not left:
            raise ValueError("it is nested too deep")
        inner = None if code == ARRAY else unpack(data, made, left - 1)
        return made(code, inner)

    options = ormsgpack.OPT_NON_STR_KEYS
    return ormsgpack.unpackb(blob, ext_hook=hook, option=options)


def _named(code: int, inner: Any) -> Any:
    """Read an extension as the class that it names and what it would be made from."""
    if code == ARRAY:
        return Named("numpy.ndarray", None)
    if code == SNAPSHOT:
        return inner
    if isinstance(inner, list | tuple) and len(inner) >= 3:
        module, name, made_from, *_ = inner
        if isinstance(module, str) and isinstance(name, str):
            return Named(f"{module[:TEXT_LENGTH]}.{name[:TEXT_LENGTH]}", made_from)
    return Named(f"extension {code}", inner)
