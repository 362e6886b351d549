"""The JSON of a verdict keeps to its schema."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from grader.reports import to_json
from grader.reports.document import schema
from grader.vocabulary import Result, Status
from grader.vocabulary.verdict import from_json
from tests.reports.example_verdicts import EVERY, MIXED

VALIDATOR = Draft202012Validator(schema())


def document(name: str = "mixed") -> dict[str, Any]:
    return dict(json.loads(to_json(EVERY[name])))


def test_schema_is_valid() -> None:
    """the schema is one of JSON Schema 2020-12"""
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("name", EVERY)
def test_every_verdict_is_valid(name: str) -> None:
    """whatever a verdict says, its document keeps to the schema"""
    VALIDATOR.validate(document(name))


@pytest.mark.parametrize("name", EVERY)
def test_round_trip(name: str) -> None:
    """a verdict is read back as it was"""
    assert from_json(document(name)) == EVERY[name]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), 2),
        (("seed",), "4711"),
        (("extra",), 1),
        (("score",), -1),
        (("results", 0, "status"), "excused"),
        (("results", 0, "extra"), 1),
        (("results", 1, "numbers"), ["#2"]),
        (("results", 1, "evidence"), "#2"),
    ],
)
def test_a_broken_document_is_refused(path: tuple[Any, ...], value: Any) -> None:
    """a document with one wrong or unknown field is not valid"""
    broken = copy.deepcopy(document())
    at: Any = broken
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with pytest.raises(ValidationError):
        VALIDATOR.validate(broken)


@pytest.mark.parametrize("field", sorted(document()))
def test_no_field_may_be_missing(field: str) -> None:
    """a document without one of its fields is not valid"""
    broken = document()
    del broken[field]
    with pytest.raises(ValidationError):
        VALIDATOR.validate(broken)


def test_every_field_is_described() -> None:
    """every field has a description, and every status is allowed"""
    described = schema()
    result = described["$defs"]["result"]
    fields = [*described["properties"].values(), *result["properties"].values()]
    assert all(field["description"].endswith(".") for field in fields)
    assert [*Status] == result["properties"]["status"]["enum"]
    assert set(Result.__slots__) == set(result["properties"])


def test_any_text_can_be_written() -> None:
    """half a surrogate pair in a rationale does not break the document"""
    import dataclasses

    result = Result("c", "claim", Status.failed, 0, 1, "\ud800 \x00")
    text = to_json(dataclasses.replace(MIXED, results=(result,)))
    assert text.isascii()
    VALIDATOR.validate(json.loads(text))
