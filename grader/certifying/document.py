"""A certificate as data: made from proofs, and read from what anybody may have written.

What is read is bounded in size and checked against the schema before it is used; it
names no files, and nothing in it is run before its digest is compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.certifying import proof as proofs
from grader.certifying.proof import Proof
from grader.submissions import FILE_LIMIT_B, BadInput, too_large

if TYPE_CHECKING:
    import jsonschema

FORMAT = 1
SCHEMA = Path(__file__).with_name("certificate.schema.json")
START, END = '<script type="application/json" id="certificate">', "</script>"
HELP = "a certificate is the page that `certificate(…)` writes, or its data"
SHOWN = 160  # characters of what a schema has to say


@dataclass(frozen=True, slots=True)
class Entry:
    """One exercise of the course; `proof` is None where it was not proved."""

    exercise: str
    title: str
    proof: Proof | None


@dataclass(frozen=True, slots=True)
class Certificate:
    """Whose it is, when it was made, and every exercise of the course."""

    name: str
    date: str
    form: str
    exercises: tuple[Entry, ...]

    @property
    def proved(self) -> tuple[Entry, ...]:
        """The exercises of which at least one claim was proved."""
        return tuple(e for e in self.exercises if e.proof and e.proof.score > 0)

    @property
    def complete(self) -> tuple[Entry, ...]:
        """The exercises of which every claim was proved."""
        return tuple(
            e for e in self.proved if e.proof and all(c.proved for c in e.proof.claims)
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain data of the schema."""
        exercises = [
            {
                "exercise": entry.exercise,
                "title": entry.title,
                "proof": None if entry.proof is None else entry.proof.to_json(),
            }
            for entry in self.exercises
        ]
        head = {"certificate": FORMAT, "name": self.name, "date": self.date}
        return {**head, "form": self.form, "exercises": exercises}


def read(path: Path) -> tuple[Certificate, str]:
    """Return the certificate in a page or a file of JSON, and the file's text.

    Raises:
        BadInput: it is none: unreadable, too large, or not of the schema.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT_B + 1)
    except OSError as problem:
        raise BadInput(
            f"expected a certificate, found {problem.strerror}: {path}"
        ) from None
    if len(data) > FILE_LIMIT_B:
        raise too_large(len(data))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise BadInput(
            f"expected text in UTF-8, found a byte that is not at {problem.start}", HELP
        ) from None
    return parse(text), text


def parse(text: str) -> Certificate:
    """Return the certificate in the text of a page or of a file of JSON.

    Raises:
        BadInput: there is none in it.
    """
    try:
        data = json.loads(_data(text), parse_constant=_refuse)
    except (ValueError, RecursionError) as problem:
        raise BadInput(
            f"expected a certificate, found {type(problem).__name__}: "
            f"{str(problem)[:SHOWN]}",
            HELP,
        ) from None
    wrong = invalid(data)
    if wrong:
        raise BadInput(f"expected a certificate, found {wrong}", HELP)
    entries = tuple(
        Entry(
            each["exercise"],
            each["title"],
            None if each["proof"] is None else proofs.from_json(each["proof"]),
        )
        for each in data["exercises"]
    )
    return Certificate(data["name"], data["date"], data["form"], entries)


def invalid(data: Any, part: str = "") -> str:
    """Return where and how data is not of the schema; empty where it is.

    Args:
        data: anything that JSON can say.
        part: the name of a definition in the schema; empty for the whole.
    """
    try:
        error = next(_validator(part).iter_errors(data), None)
    except (RecursionError, OverflowError) as problem:
        return str(problem)
    if error is None:
        return ""
    inner = min(error.context or [error], key=lambda each: -len(each.absolute_path))
    message = inner.message
    if len(message) > SHOWN:
        message = f"…{message[-SHOWN:]}"
    return f"at {inner.json_path}: {message}"


def _data(text: str) -> str:
    """Return the data in a page; other text is taken for data."""
    if not text.lstrip().startswith("<"):
        return text
    if text.count(START) != 1:
        raise ValueError(f"a page with its data {text.count(START)} times")
    return text.partition(START)[2].partition(END)[0]


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant}, which is no number of JSON")


@cache
def _validator(part: str) -> jsonschema.Draft202012Validator:
    import jsonschema

    schema: Mapping[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    if part:
        schema = {"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(schema)
