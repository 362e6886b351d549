"""What comes of a reply that does not fit the schema that it was asked for by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

import pytest
from pydantic import BaseModel

from grader.fakes.answers import Answer
from tests.drift.small_graphs import raised
from tests.fakes.model_bench import Bench

fact = pytest.mark.fact


class Sorted(BaseModel):
    priority: Literal["low", "high"]


class Plain(TypedDict):
    """How a ticket is sorted."""

    priority: Literal["low", "high"]


def asked(models: Bench, schema: Any, method: str, text: str) -> Any:
    """Return what asks by a schema; the model says the text, and calls no tool."""

    async def says(body: Mapping[str, Any]) -> Answer:
        return Answer("a", text=text)

    model = models.model(base_url=models.admit(says))
    return model.with_structured_output(schema, method=method)


@fact("ex05.structured_output_raises")
@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_structured_output_raises(models: Bench, method: str) -> None:
    """with_structured_output raises on a reply that does not fit a pydantic class, and
    the error is, or tells of, pydantic's ValidationError"""
    asks = asked(models, Sorted, method, '{"priority": "mad"}')
    found = raised(asks.invoke, "in JSON, please")
    assert "1 validation error for Sorted" in found
    kinds = {"json_schema": "ValidationError", "json_mode": "OutputParserException"}
    assert found.partition(":")[0] == kinds[method]


@fact("ex05.structured_output_is_silent")
@pytest.mark.parametrize("method", ["json_schema", "json_mode"])
def test_a_wrong_value_is_handed_on(models: Bench, method: str) -> None:
    """with a TypedDict a value that it does not allow is returned as it is"""
    asks = asked(models, Plain, method, '{"priority": "mad"}')
    assert asks.invoke("in JSON, please") == {"priority": "mad"}


@fact("ex05.structured_output_is_silent")
def test_a_reply_without_a_call(models: Bench) -> None:
    """with method="function_calling" a reply that calls nothing is None"""
    asks = asked(models, Sorted, "function_calling", "Let me think about it.")
    assert asks.invoke("Call it, please") is None
