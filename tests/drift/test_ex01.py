"""Objects in the state of a graph: what is refused, and what is stored all the same."""

from __future__ import annotations

import io
import operator
import sqlite3
import threading
from pathlib import Path
from typing import Annotated, Any, TypedDict

import httpx
import openai
import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.drift.small_graphs import (
    THREAD,
    chain,
    raised,
    sqlite_saver,
)

fact = pytest.mark.fact
KEY = "sk-drift-4711"
REFUSED = "TypeError: Type is not msgpack serializable: "


class State(TypedDict, total=False):
    held: Any
    done: Annotated[list[str], operator.add]


class Plain:
    """A class of a learner's own."""


def first(state: State) -> State:
    return {"done": ["first"]}


async def _coroutine() -> None: ...


LIVE = {
    "_thread.lock": threading.Lock,
    "_thread.RLock": threading.RLock,
    "sqlite3.Connection": lambda: sqlite3.connect(":memory:"),
    "TextIOWrapper": lambda: io.TextIOWrapper(io.BytesIO()),
    "Client": httpx.Client,
    "OpenAI": lambda: openai.OpenAI(api_key=KEY),
    "function": lambda: first,
    "generator": lambda: (n for n in range(1)),
    "coroutine": _coroutine,
    "CompiledStateGraph": lambda: chain(State, first),
    "Plain": Plain,
    "complex": complex,
}


@fact("ex01.passes_without_a_saver")
def test_passes_without_a_saver() -> None:
    """without a checkpointer any object passes through the state, as it is"""
    lock = threading.Lock()
    assert chain(State, first).invoke({"held": lock})["held"] is lock


@fact("ex01.live_objects_are_refused")
@pytest.mark.parametrize("name", LIVE)
def test_live_objects_are_refused(name: str) -> None:
    """with a checkpointer a live object raises TypeError: Type is not msgpack
    serializable, and the name of its class"""
    app = chain(State, first, saver=InMemorySaver())
    held = LIVE[name]()
    found = raised(app.invoke, {"held": held}, THREAD)
    if hasattr(held, "close"):
        held.close()
    # Python 3.11 says in which module a TextIOWrapper is made.
    assert REFUSED + name == found.replace("_io.Text", "Text")


@fact("ex01.in_memory_saver_serialises")
def test_in_memory_saver_serialises(tmp_path: Path) -> None:
    """InMemorySaver refuses what SqliteSaver refuses, in the same words"""
    lock = {"held": threading.Lock()}
    in_file = chain(State, first, saver=sqlite_saver(tmp_path / "c.db"))
    in_memory = chain(State, first, saver=InMemorySaver())
    expected = REFUSED + "_thread.lock"
    assert raised(in_file.invoke, lock, THREAD) == expected
    assert raised(in_memory.invoke, lock, THREAD) == expected


@pytest.mark.parametrize(
    ("durability", "ran"),
    [
        pytest.param(None, ["before", "holds", "after"], marks=fact("ex01.late")),
        pytest.param("sync", ["before", "holds"], marks=fact("ex01.sync_is_early")),
        pytest.param("exit", ["before", "holds", "after"], marks=fact("ex01.exit")),
    ],
)
def test_when(tmp_path: Path, durability: Any, ran: list[str]) -> None:
    """by default, and with "exit", every node has run when the TypeError is raised;
    with "sync" none that comes after the object"""
    seen: list[str] = []

    def before(state: State) -> State:
        seen.append("before")
        return {}

    def holds(state: State) -> State:
        seen.append("holds")
        return {"held": threading.Lock()}

    def after(state: State) -> State:
        seen.append("after")
        return {}

    app = chain(State, before, holds, after, saver=sqlite_saver(tmp_path / "c.db"))
    named = {"durability": durability} if durability else {}
    found = raised(app.invoke, {"done": []}, THREAD, **named)
    assert found == REFUSED + "_thread.lock"
    assert seen == ran


@fact("ex01.large_integers_are_refused")
def test_large_integers_are_refused() -> None:
    """an integer of more than 64 bits raises: Integer exceeds 64-bit range"""
    app = chain(State, first, saver=InMemorySaver())
    found = raised(app.invoke, {"held": 2**64}, THREAD)
    assert found == "TypeError: Integer exceeds 64-bit range"


class NoResult(TypedDict):
    question: str


def returns_a_result(state: NoResult) -> Any:
    return {"result": "42"}


@fact("ex01.undeclared_result_is_dropped")
def test_undeclared_result_is_dropped() -> None:
    """a result whose key the state does not have is dropped, and nothing says so"""
    app = chain(NoResult, returns_a_result)
    assert app.invoke({"question": "?"}) == {"question": "?"}
