"""Objects in the state of a graph: what comes back from the database changed."""

from __future__ import annotations

import collections
import dataclasses
import enum
import itertools
import math
import operator
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypedDict

import httpx
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from pydantic import create_model

from tests.drift.small_graphs import (
    THREAD,
    chain,
    raised,
    sqlite_saver,
)

fact = pytest.mark.fact


class State(TypedDict, total=False):
    held: Any
    done: Annotated[list[str], operator.add]


# LangGraph warns once of each class, so each test makes a class of a name of its own.
KINDS: dict[str, Callable[[str], Any]] = {
    "dataclass": lambda name: dataclasses.make_dataclass(name, [("x", int)]),
    "enum": lambda name: enum.Enum(name, {"x": 1}),
    "named tuple": lambda name: NamedTuple(name, [("x", int)]),
    "pydantic": lambda name: create_model(name, x=int),
}
NUMBERS = itertools.count()


class Name(str):
    __slots__ = ()


class Plain:
    """A class of a learner's own."""


def first(state: State) -> State:
    return {"done": ["first"]}


def round_trip(value: Any) -> Any:
    serde = JsonPlusSerializer()
    return serde.loads_typed(serde.dumps_typed({"value": value}))["value"]


@fact("ex01.changed_in_silence")
@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ((1, 2), [1, 2]),
        (bytearray(b"a"), b"a"),
        (memoryview(b"a"), b"a"),
        (collections.defaultdict(int, a=1), {"a": 1}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.Counter("a"), {"a": 1}),
        (Name("Ada"), "Ada"),
        (ValueError("no"), "ValueError('no')"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_changed_in_silence(stored: Any, read: Any) -> None:
    """some types come back as others, and nothing says so"""
    found = round_trip(stored)
    assert (type(found), found) == (type(read), read)


@fact("ex01.classes_are_revived_with_a_warning")
@pytest.mark.parametrize("kind", KINDS)
def test_classes_are_revived(
    kind: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a dataclass, an enum, a named tuple and a pydantic model come back as they
    were, and a line of the log says that this will be blocked in a future version"""
    name = f"Mine{next(NUMBERS)}"
    mine = KINDS[kind](name)
    mine.__module__ = __name__
    monkeypatch.setattr(sys.modules[__name__], name, mine, raising=False)
    value = mine(1) if kind != "pydantic" else mine(x=1)
    found = round_trip(value)
    assert (type(found), found) == (type(value), value)
    line = f"Deserializing unregistered type {__name__}.{name} from checkpoint."
    assert line in caplog.text
    assert "This will be blocked in a future version" in caplog.text
    assert "allowed_msgpack_modules" in caplog.text


@fact("ex01.nan_and_nul_are_stored")
@pytest.mark.parametrize("value", [float("inf"), "a\x00b"])
def test_nan_and_nul_are_stored(tmp_path: Path, value: Any) -> None:
    """SQLite and InMemorySaver store infinity and a NUL character"""
    for saver in (InMemorySaver(), sqlite_saver(tmp_path / "c.db")):
        app = chain(State, first, saver=saver)
        app.invoke({"held": value}, THREAD)
        assert value == app.get_state(THREAD).values["held"]


@fact("ex01.reading_can_run_code")
def test_reading_can_run_code(capsys: pytest.CaptureFixture[str]) -> None:
    """a stored row that names a function calls it when it is read"""
    import ormsgpack

    call = ormsgpack.packb(("builtins", "print", ["printed on read"]))
    row = ormsgpack.packb(ormsgpack.Ext(1, call))
    JsonPlusSerializer().loads_typed(("msgpack", row))
    assert capsys.readouterr().out == "printed on read\n"


@fact("ex01.pickle_fallback")
def test_pickle_fallback(tmp_path: Path) -> None:
    """with pickle_fallback=True a row that holds what msgpack refuses is a pickle, and
    a client that cannot be pickled raises TypeError: cannot pickle …"""
    serde = JsonPlusSerializer(pickle_fallback=True)
    connection = sqlite3.connect(tmp_path / "c.db", check_same_thread=False)
    app = chain(State, first, saver=SqliteSaver(connection, serde=serde))
    app.invoke({"held": Plain()}, THREAD)
    kinds = {kind for (kind,) in connection.execute("SELECT type FROM checkpoints")}
    assert "pickle" in kinds
    found = raised(app.invoke, {"held": httpx.Client()}, THREAD)
    assert found.startswith("TypeError: cannot pickle")


@fact("ex01.missing_class_is_a_dict")
@pytest.mark.parametrize(
    ("mine", "of", "read"),
    [
        (dataclasses.make_dataclass("Mine", [("x", int)]), 1, {"x": 1}),
        (enum.Enum("Mine", {"X": "a"}), "a", "a"),
    ],
    ids=["dataclass", "enum"],
)
def test_missing_class_is_a_dict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mine: Any, of: Any, read: Any
) -> None:
    """a reader that lacks the class gets a dict, of an enum its value, and writes that
    back"""
    path = tmp_path / "c.db"
    mine.__module__ = __name__  # which make_dataclass cannot be told in Python 3.11
    monkeypatch.setattr(sys.modules[__name__], "Mine", mine, raising=False)
    chain(State, first, saver=sqlite_saver(path)).invoke({"held": mine(of)}, THREAD)
    monkeypatch.undo()
    app = chain(State, first, saver=sqlite_saver(path))
    assert app.invoke({}, THREAD)["held"] == read
    monkeypatch.setattr(sys.modules[__name__], "Mine", mine, raising=False)
    app = chain(State, first, saver=sqlite_saver(path))
    assert app.get_state(THREAD).values["held"] == read


@fact("ex01.postgres_refuses_nul")
def test_postgres_refuses_nul(postgres: str) -> None:
    """PostgreSQL refuses a field that is a text with a NUL character, or infinite,
    which SQLite stores; in a list it takes both"""
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(postgres) as saver:
        saver.setup()
        app = chain(State, first, saver=saver)
        nul = raised(app.invoke, {"held": "a\x00b"}, THREAD)
        infinite = raised(app.invoke, {"held": math.inf}, THREAD)
        given = ["a\x00b", math.inf]
        other: Any = {"configurable": {"thread_id": "t2"}}
        assert app.invoke({"held": given}, other)["held"] == given
    assert nul.split(":")[0] in ("UntranslatableCharacter", "DataError")
    assert infinite.split(":")[0] in ("InvalidTextRepresentation", "DataError")
