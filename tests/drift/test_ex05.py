"""What a node may return: what is refused, and what is accepted in silence."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel, ConfigDict

from tests.drift.small_graphs import chain, raised

fact = pytest.mark.fact
LINK = "INVALID_GRAPH_NODE_RETURN_VALUE"


class State(TypedDict, total=False):
    status: str
    notes: Annotated[list[str], operator.add]


GIVEN: State = {"status": "new", "notes": ["x"]}
Node = Callable[[State], Any]


def returning(value: Any) -> Any:
    def node(state: State) -> Any:
        return value

    return chain(State, node)


class Thing:
    """An object that is no update."""


@fact("ex05.not_a_dict")
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("done", "done"),
        (("a", "b"), "('a', 'b')"),
        (7, "7"),
        (ValueError("no"), "no"),
        ({"a"}, "{'a'}"),
        (END, "__end__"),
    ],
    ids=str,
)
def test_not_a_dict(value: Any, shown: str) -> None:
    """a node that returns text, a tuple, a number, an exception, a set or END raises
    InvalidUpdateError: Expected dict, got …, and a link"""
    found = raised(returning(value).invoke, GIVEN)
    assert found.split("\n")[0] == f"InvalidUpdateError: Expected dict, got {shown}"
    assert LINK in found


@fact("ex05.list_is_not_a_dict")
@pytest.mark.parametrize(
    "make", [lambda: ["a"], lambda: (n for n in "a"), Thing], ids=["list", "gen", "obj"]
)
def test_list_is_not_a_dict(make: Callable[[], Any]) -> None:
    """a node that returns a list, a generator or an object raises the same, but a list
    with a Command in it is taken"""
    found = raised(returning(make()).invoke, GIVEN)
    assert found[:39] == "InvalidUpdateError: Expected dict, got "
    assert LINK in found
    commands = [Command(update={"status": "done"})]
    assert returning(commands).invoke(GIVEN)["status"] == "done"


@dataclass
class Fields:
    status: str
    unknown: str


class Model(BaseModel):
    status: str
    unknown: str


class Named(NamedTuple):
    status: str
    unknown: str


class Unset(BaseModel):
    status: str | None = None


@fact("ex05.objects_with_fields")
@pytest.mark.parametrize("made", [Fields, Model, Named])
def test_objects_with_fields(made: Callable[..., Any]) -> None:
    """of an object whose class declares fields those of the state are taken, in
    silence; a message has none of them"""
    given = returning(made(status="refunded", unknown="lost")).invoke(GIVEN)
    assert given == {**GIVEN, "status": "refunded"}
    assert returning(AIMessage("refunded")).invoke(GIVEN) == GIVEN


@fact("ex05.objects_with_fields")
def test_a_field_that_was_never_set() -> None:
    """a pydantic field that was left at a default of None is dropped, one set is not"""
    assert returning(Unset()).invoke(GIVEN) == GIVEN
    assert returning(Unset(status=None)).invoke(GIVEN) == {**GIVEN, "status": None}


@fact("ex05.none_is_accepted")
@pytest.mark.parametrize("value", [None, {}], ids=str)
def test_none_is_accepted(value: Any) -> None:
    """a node that returns None, or an empty dict, changes nothing, in silence"""
    assert returning(value).invoke(GIVEN) == GIVEN


@fact("ex05.misspelled_key")
def test_misspelled_key() -> None:
    """a key that the state does not have is dropped, in silence"""
    assert returning({"statsu": "done"}).invoke(GIVEN) == GIVEN


@fact("ex05.known_key_beside_an_unknown_one")
def test_misspelled_key_beside_others() -> None:
    """of a dict with one known and one unknown key the known one is kept"""
    found = returning({"status": "done", "notse": ["y"]}).invoke(GIVEN)
    assert found == {"status": "done", "notes": ["x"]}


@fact("ex05.wrong_type")
def test_wrong_type() -> None:
    """the types of a TypedDict are not checked"""
    assert returning({"status": 7}).invoke(GIVEN)["status"] == 7


@fact("ex05.command_with_text")
def test_command_with_text() -> None:
    """the text of Command(update=…) is dropped, in silence"""
    assert returning(Command(update="done")).invoke(GIVEN) == GIVEN


@fact("ex05.goto_unknown")
def test_goto_unknown(caplog: pytest.LogCaptureFixture) -> None:
    """Command(goto=…) to an unknown node ends the run, with a line of the log only"""
    assert returning(Command(goto="nowhere")).invoke(GIVEN) == GIVEN
    assert "nowhere" in caplog.text


class Checked(BaseModel):
    priority: int = 0


@fact("ex05.pydantic_checks_what_is_read")
def test_pydantic() -> None:
    """a pydantic state checks what the next node reads, so a wrong update of the last
    node passes"""

    def wrong(state: Checked) -> Any:
        return {"priority": "high"}

    def reads(state: Checked) -> Any:
        return {}

    assert chain(Checked, wrong).invoke({"priority": 1}) == {"priority": "high"}
    found = raised(chain(Checked, wrong, reads).invoke, {"priority": 1})
    assert found.split("\n")[0] == "ValidationError: 1 validation error for Checked"


class Forbidding(BaseModel):
    model_config = ConfigDict(extra="forbid")

    priority: int = 0


@fact("ex05.extra_keys_are_dropped")
def test_extra_keys_are_dropped() -> None:
    """an unknown key is dropped, even where the state is a pydantic model that
    forbids extra keys"""

    def extra(state: Forbidding) -> Any:
        return {"priority": 2, "prioritee": 3}

    def reads(state: Forbidding) -> Any:
        return {}

    assert chain(Forbidding, extra, reads).invoke({"priority": 1}) == {"priority": 2}


@fact("ex05.whole_state_duplicates")
def test_whole_state_duplicates() -> None:
    """a node that returns its whole state doubles a key whose reducer adds; messages
    stay as they are, for add_messages replaces by id"""

    def node(state: State) -> State:
        return state

    assert chain(State, node).invoke(GIVEN)["notes"] == ["x", "x"]
    kept = chain(MessagesState, node).invoke({"messages": "Hi"})["messages"]
    assert [message.content for message in kept] == ["Hi"]


@fact("ex05.text_for_a_list")
def test_text_for_a_list() -> None:
    """text for a list with operator.add raises TypeError: can only concatenate list
    (not "str") to list"""
    found = raised(returning({"notes": "y"}).invoke, GIVEN)
    assert found == 'TypeError: can only concatenate list (not "str") to list'


def branches(key: str) -> Any:
    graph = StateGraph(State)
    for name in ("a", "b"):
        value = [name] if key == "notes" else name
        graph.add_node(name, lambda state, value=value: {key: value})
        graph.add_edge(START, name)
        graph.add_edge(name, END)
    return graph.compile()


@fact("ex05.two_branches_one_key")
def test_two_branches_one_key() -> None:
    """two parallel branches that write one key without a reducer raise
    InvalidUpdateError: At key 'status': Can receive only one value per step. Use an
    Annotated key to handle multiple values."""
    found = raised(branches("status").invoke, GIVEN).split("\n")[0]
    expected = (
        "InvalidUpdateError: At key 'status': Can receive only one value per step."
        " Use an Annotated key to handle multiple values."
    )
    assert found == expected


@fact("ex05.reducer_keeps_both")
def test_reducer_keeps_both() -> None:
    """with a reducer both branches' values arrive, in the order of the nodes' names
    in the graph and not in the order of arrival"""
    assert branches("notes").invoke(GIVEN)["notes"] == ["x", "a", "b"]
