"""Module-level mutable state, and state that a node changes in place."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from tests.drift.small_graphs import (
    LIMIT_S,
    THREAD,
    another_process,
    chain,
    sqlite_saver,
)

fact = pytest.mark.fact
USERS = [f"user-{n}" for n in range(8)]


class State(TypedDict, total=False):
    user: str
    messages: list[str]
    count: int


class Cached:
    """A module's cache, and a node that writes to it, waits, and reads it."""

    def __init__(self, parties: int) -> None:
        self.cache: list[str] = []
        self.inside = threading.Barrier(parties)

    def node(self, state: State) -> State:
        self.cache.append(state["user"])
        self.inside.wait(LIMIT_S)
        return {"count": len(self.cache), "user": self.cache[-1]}

    def graph(self) -> Any:
        def counts(state: State) -> State:
            return self.node(state)

        return chain(State, counts)


@fact("ex02.one_cache_per_process")
def test_one_cache_per_process() -> None:
    """eight OS threads that are inside at once all count eight"""
    app = Cached(len(USERS)).graph()
    with ThreadPoolExecutor(len(USERS)) as pool:
        replies = pool.map(lambda user: app.invoke({"user": user}), USERS)
        assert [reply["count"] for reply in replies] == [8] * 8


@fact("ex02.last_writer_wins")
def test_last_writer_wins() -> None:
    """two runs that are held between write and read both get the same user's name"""
    app = Cached(2).graph()
    with ThreadPoolExecutor(2) as pool:
        replies = pool.map(lambda user: app.invoke({"user": user}), USERS[:2])
        assert len({reply["user"] for reply in replies}) == 1


@fact("ex02.every_process_counts_for_itself")
def test_every_process_counts_for_itself() -> None:
    """each process has a copy of its own of a global: both count 1, 2, 3"""
    found = [another_process("counts_in_turn").stdout for _ in range(2)]
    assert found == ["1 2 3\n"] * 2


def default_state() -> tuple[Any, Any]:
    """Return a shared default, and a node that appends to it and returns it."""
    shared: State = {"messages": []}

    def adds(state: State) -> State:
        shared["messages"].append(state["user"])
        return shared

    return shared, adds


@fact("ex02.default_leaks_in_sequence")
def test_default_leaks_in_sequence() -> None:
    """a node that appends to a shared default shows the second user the first one's
    message"""
    _, adds = default_state()
    app = chain(State, adds)
    app.invoke({"user": "Ada"})
    assert app.invoke({"user": "Bob"})["messages"] == ["Ada", "Bob"]


@fact("ex02.earlier_reply_changes")
def test_earlier_reply_changes() -> None:
    """the list that the first user got is the shared one, so it changes afterwards"""
    shared, adds = default_state()
    app = chain(State, adds)
    first = app.invoke({"user": "Ada"})
    app.invoke({"user": "Bob"})
    assert first["messages"] == ["Ada", "Bob"]
    assert first["messages"] is shared["messages"]


@fact("ex02.leak_is_stored")
def test_leak_is_stored(tmp_path: Path) -> None:
    """with a checkpointer the first user's message is stored in the second one's
    thread"""
    _, adds = default_state()
    app = chain(State, adds, saver=sqlite_saver(tmp_path / "c.db"))
    config = [{"configurable": {"thread_id": user}} for user in ("Ada", "Bob")]
    app.invoke({"user": "Ada"}, config[0])
    app.invoke({"user": "Bob"}, config[1])
    assert app.get_state(config[1]).values["messages"] == ["Ada", "Bob"]


@fact("ex02.await_hands_over")
def test_await_hands_over() -> None:
    """with an await that has to wait between write and read, ten gathered runs all get
    the last user's name; with one that does not, each gets its own"""
    shared = {}
    users = [f"user-{n}" for n in range(10)]

    async def at_once() -> None:
        pass

    def everybody(wait: Callable[[], Awaitable[None]]) -> list[str]:
        async def waits(state: State) -> State:
            shared["user"] = state["user"]
            await wait()
            return {"user": shared["user"]}

        async def run() -> list[Any]:
            app = chain(State, waits)
            return await asyncio.gather(*(app.ainvoke({"user": u}) for u in users))

        return [reply["user"] for reply in asyncio.run(run())]

    assert everybody(lambda: asyncio.sleep(0)) == ["user-9"] * 10
    assert everybody(at_once) == users


def in_place(state: State) -> State:
    state["messages"].append("changed")
    return {}


@fact("ex02.input_changes_in_place")
def test_input_changes_in_place() -> None:
    """a node that changes its state in place changes the caller's own input"""
    given: State = {"messages": ["mine"]}
    chain(State, in_place).invoke(given)
    assert given["messages"] == ["mine", "changed"]


ONE, BOTH = ["mine"], ["mine", "changed"]


@pytest.mark.parametrize(
    ("name", "durability", "stored"),
    [
        pytest.param(*("memory", "sync", ONE), marks=fact("ex02.change_is_not_stored")),
        pytest.param(*("file", "sync", BOTH), marks=fact("ex02.change_is_stored")),
        pytest.param(
            *("memory", "exit", BOTH), marks=fact("ex02.change_is_stored_at_the_end")
        ),
    ],
)
def test_change_in_place(
    tmp_path: Path, name: str, durability: Any, stored: list[str]
) -> None:
    """a change in place shows in the reply; InMemorySaver, which stores the channels
    that a node returned, stores it with "exit" only; SqliteSaver, which stores all,
    does"""
    savers = {"memory": InMemorySaver(), "file": sqlite_saver(tmp_path / "c.db")}
    app = chain(State, in_place, saver=savers[name])
    reply = app.invoke({"messages": ["mine"]}, THREAD, durability=durability)
    assert reply["messages"] == BOTH
    assert app.get_state(THREAD).values["messages"] == stored


class Both(TypedDict):
    shared: list[str]
    seen: Annotated[list[int], operator.add]


@fact("ex02.branches_share_the_object")
def test_branches_share_the_object() -> None:
    """two parallel branches get the same mutable object"""

    def looks(state: Both) -> Any:
        return {"seen": [id(state["shared"])]}

    graph = StateGraph(Both)
    for name in ("a", "b"):
        graph.add_node(name, looks)
        graph.add_edge(START, name)
        graph.add_edge(name, END)
    found = graph.compile().invoke({"shared": [], "seen": []})["seen"]
    assert len(found) == 2
    assert len(set(found)) == 1
