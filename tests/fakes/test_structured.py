"""The stand-in model calls tools and fills schemas, scripted or not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from grader.vocabulary.scenario import Says
from tests.fakes.persona_bench import ask, script, user


def offers(name: str, *fields: str, **choice: Any) -> dict[str, Any]:
    properties = {field: {"type": "string"} for field in fields}
    parameters = {"type": "object", "properties": properties, "required": [*fields]}
    function = {"name": name, "parameters": parameters}
    return {"tools": [{"type": "function", "function": function}], **choice}


def test_structured_text() -> None:
    """a mapping is said as JSON, its texts filled"""
    made = script(Says("a", "[a]", {"who": "{name}", "n": 3, "all": ["{prompt}"]}))
    answer = ask(made, user("[a] x"))
    assert json.loads(answer.text) == {"who": "Ada", "n": 3, "all": ["x"]}


def test_scripted_tool() -> None:
    """a tool is called when it is offered, and after its result text follows"""
    made = script(Says("a", "[a]", {"city": "{prompt} {ref}"}, tool="weather"))
    offer = offers("weather", "city")
    call = ask(made, user("[a] Rome"), **offer)
    assert call.tool == "weather"
    assert call.arguments == {"city": f"Rome {call.reference}"}
    result = {"role": "tool", "content": "sunny"}
    after = ask(made, user("[a] Rome"), result, **offer)
    assert (after.tool, after.text) == (
        "",
        f"The tool says: sunny (ref {after.reference})",
    )
    again = ask(made, user("[a] Rome"), result, user("[a] Oslo"), **offer)
    assert again.tool == "weather"


def test_tool_not_offered() -> None:
    """a tool that is not offered, or forbidden, is not called"""
    made = script(Says("a", "[a]", {"city": "Rome"}, tool="weather"))
    assert ask(made, user("[a] x")).text.startswith("You said: x (ref ")
    assert not ask(made, user("[a] x"), **offers("other", "city")).tool
    assert not ask(made, user("[a]"), **offers("weather", tool_choice="none")).tool


def test_forced_tool() -> None:
    """a tool that the request insists on is called, with or without a script"""
    named = {"type": "function", "function": {"name": "Ticket"}}
    for choice in (named, "required"):
        offer = offers("Ticket", "kind", tool_choice=choice)
        plain = ask(script(), user("Hi"), **offer)
        assert plain.tool == "Ticket"
        assert plain.arguments == {"kind": f"You said: Hi (ref {plain.reference})"}
        for tool in ("", "Ticket"):
            made = script(Says("a", "[a]", {"kind": "bug"}, tool=tool))
            assert ask(made, user("[a]"), **offer).arguments == {"kind": "bug"}


def wants(schema: Any) -> dict[str, Any]:
    inner = {"name": "x", "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": inner}}


def test_schema() -> None:
    """structured output without a script is a valid instance, with the text in it"""
    schema = {
        "type": "object",
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "label": {"type": "string"},
                    "next": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                    "all": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
                },
            }
        },
        "properties": {
            "text": {"type": "string"},
            "short": {"type": "string", "maxLength": 3},
            "count": {"type": "integer", "minimum": 3, "maximum": 4},
            "share": {"type": "number", "exclusiveMaximum": 1},
            "flag": {"type": "boolean"},
            "kind": {"enum": ["a", "b"]},
            "one": {"const": 1},
            "maybe": {"anyOf": [{"type": "null"}, {"type": "string"}]},
            "either": {"type": ["null", "string"]},
            "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
            "node": {"$ref": "#/$defs/Node"},
        },
    }
    answer = ask(script(Says("a", "", "said")), user("Hi"), **wants(schema))
    found = json.loads(answer.text)
    assert found["count"] in (3, 4)
    assert found["share"] < 1
    assert isinstance(found["flag"], bool)
    assert found["kind"] in ("a", "b")
    assert {
        k: v for k, v in found.items() if k not in {"count", "share", "flag", "kind"}
    } == {
        "text": "said",
        "short": "sai",
        "one": 1,
        "maybe": "said",
        "either": "said",
        "tags": ["said", "said"],
        "node": {"label": "said", "next": None, "all": []},
    }


def test_json_object() -> None:
    """a request for any JSON object gets one"""
    answer = ask(script(), user("Hi"), response_format={"type": "json_object"})
    assert list(json.loads(answer.text)) == ["answer"]


def test_scripted_structure_need_not_be_valid() -> None:
    """a scripted mapping is said as it is, also where the schema forbids it"""
    made = script(Says("a", "", {"wrong": 1}))
    answer = ask(made, user("Hi"), **wants({"type": "object", "properties": {}}))
    assert json.loads(answer.text) == {"wrong": 1}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/None"},
        {"$ref": "#"},
        {"$ref": 3},
        {"enum": []},
        {"type": "integer", "minimum": "x"},
        {"type": "array", "minItems": 10**9},
        {"type": "object", "properties": {f"p{n}": {} for n in range(300)}},
        {"anyOf": 3},
    ],
)
def test_bad_schemas(schema: Any) -> None:
    """a schema that has no small instance is a bad request, not a crash"""
    assert ask(script(), user("Hi"), **wants(schema)).status == 400


@pytest.mark.parametrize(
    "more",
    [
        {"tools": 3},
        {"tools": [3, {"function": 3}], "tool_choice": "required"},
        {"tools": [{"function": {}}], "tool_choice": "required"},
        {"tool_choice": {"function": {"name": []}}},
        {"response_format": 3},
        {"response_format": {"type": []}},
        {"response_format": {"json_schema": {}}},
    ],
)
def test_odd_requests(more: dict[str, Any]) -> None:
    """a request of the wrong shape gets an answer all the same"""
    odd = {"role": [], "content": {"text": 1}}
    assert ask(script(Says("a", "[a]")), odd, {}, **more).status in (200, 400)
