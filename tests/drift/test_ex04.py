"""Where checkpoints are kept, and what another process can do with them."""

from __future__ import annotations

import operator
import sqlite3
import threading
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver, MemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command, interrupt

from tests.drift.small_graphs import (
    THREAD,
    another_process,
    chain,
    on_disk,
    raised,
    sqlite_saver,
)

fact = pytest.mark.fact
EMPTY = "EmptyInputError: Received no input for __start__"


class State(TypedDict, total=False):
    messages: Annotated[list[str], operator.add]


def a(state: State) -> State:
    return {"messages": ["a"]}


def b(state: State) -> State:
    return {"messages": ["b"]}


@fact("ex04.memory_saver_is_in_memory_saver")
def test_memory_saver() -> None:
    """MemorySaver is the older name of InMemorySaver"""
    assert InMemorySaver is MemorySaver


@fact("ex04.memory_is_of_one_process")
def test_memory_is_of_one_process() -> None:
    """a second InMemorySaver takes the known thread_id for a new thread, in silence"""
    first = chain(State, a, saver=MemorySaver())
    second = chain(State, a, saver=MemorySaver())
    first.invoke({"messages": ["1"]}, THREAD)
    reply = second.invoke({"messages": ["2"]}, THREAD)
    assert reply["messages"] == ["2", "a"]


@fact("ex04.file_is_of_every_process")
def test_file_is_of_every_process(tmp_path: Path) -> None:
    """with SqliteSaver on one file, a second process continues the thread"""
    path = tmp_path / "c.db"
    answer = another_process("runs_a_turn", str(path))
    assert answer.returncode == 0, answer.stderr
    reply = chain(State, a, saver=sqlite_saver(path)).invoke(
        {"messages": ["2"]}, THREAD
    )
    assert reply["messages"] == ["1", "from-a", "from-b", "2", "a"]


@fact("ex04.four_checkpoints_a_turn")
def test_four_checkpoints_a_turn() -> None:
    """one turn of two nodes makes four checkpoints"""
    app = chain(State, a, b, saver=MemorySaver())
    app.invoke({"messages": ["1"]}, THREAD)
    assert len([*app.get_state_history(THREAD)]) == 4


@fact("ex04.exit_stores_once")
def test_exit_stores_once() -> None:
    """with durability="exit" one turn makes one checkpoint"""
    app = chain(State, a, b, saver=MemorySaver())
    app.invoke({"messages": ["1"]}, THREAD, durability="exit")
    assert len([*app.get_state_history(THREAD)]) == 1


class Slow(SqliteSaver):
    """A saver whose database answers only once it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(sqlite3.connect(path, check_same_thread=False))
        self.told = threading.Event()

    def put(self, *given: Any) -> Any:
        self.told.wait(60)  # turns a hang into a failure
        return super().put(*given)


@fact("ex04.async_falls_behind")
def test_async_falls_behind(tmp_path: Path) -> None:
    """behind a slow database the last step runs while no checkpoint is stored yet"""
    saver = Slow(tmp_path / "c.db")
    saver.setup()
    stored: list[Any] = []

    def last(state: State) -> State:
        stored.extend(saver.conn.execute("SELECT COUNT(*) FROM checkpoints"))
        saver.told.set()
        return {}

    chain(State, a, b, last, saver=saver).invoke({"messages": ["1"]}, THREAD)
    assert stored == [(0,)]


@fact("ex04.nothing_to_resume")
def test_nothing_to_resume() -> None:
    """to resume a thread that the saver does not know raises EmptyInputError:
    Received no input for __start__"""
    app = chain(State, a, saver=MemorySaver())
    assert raised(app.invoke, None, THREAD) == EMPTY


@pytest.mark.parametrize(
    ("durability", "expected"),
    [
        pytest.param("sync", ["1", "from-a", "b"], marks=fact("ex04.resumes_sync")),
        pytest.param("async", ["1", "from-a", "b"], marks=fact("ex04.resumes_async")),
        pytest.param("exit", EMPTY, marks=fact("ex04.exit_loses_the_turn")),
    ],
)
def test_kill_and_resume(tmp_path: Path, durability: str, expected: Any) -> None:
    """killed in its second node, a run goes on in another process with that node, and
    not with the first; with durability="exit" there is nothing to resume"""
    path = tmp_path / "c.db"
    assert another_process("runs_a_turn", str(path), durability).returncode == -9
    app = chain(State, a, b, saver=sqlite_saver(path))
    if durability == "exit":
        assert raised(app.invoke, None, THREAD) == expected
    else:
        assert app.invoke(None, THREAD)["messages"] == expected


def asks(state: State) -> State:
    return {"messages": [interrupt("sure?")]}


@fact("ex04.interrupt_is_answered_elsewhere")
def test_interrupt_is_answered_elsewhere(tmp_path: Path) -> None:
    """what one saver has interrupted, another on the same file resumes"""
    path = tmp_path / "c.db"
    chain(State, asks, saver=sqlite_saver(path)).invoke({"messages": []}, THREAD)
    other = chain(State, asks, saver=sqlite_saver(path))
    assert other.invoke(Command(resume="yes"), THREAD)["messages"] == ["yes"]


@fact("ex04.answer_is_discarded")
def test_answer_is_discarded() -> None:
    """a saver that does not see the interrupt discards the answer and asks again"""
    chain(State, asks, saver=MemorySaver()).invoke({"messages": []}, THREAD)
    other = chain(State, asks, saver=MemorySaver())
    reply = other.invoke(Command(resume="yes"), THREAD)
    assert "yes" not in reply.get("messages", [])
    assert "__interrupt__" in reply


@fact("ex04.conn_string_is_a_context_manager")
def test_conn_string(tmp_path: Path) -> None:
    """SqliteSaver.from_conn_string passed to compile raises TypeError: Invalid
    checkpointer provided. … Received _GeneratorContextManager."""
    made = SqliteSaver.from_conn_string(str(tmp_path / "c.db"))
    found = raised(chain, State, a, saver=made)
    assert found[:41] == "TypeError: Invalid checkpointer provided."
    assert "Received _GeneratorContextManager." in found


@fact("ex04.closed_database")
def test_closed_database(tmp_path: Path) -> None:
    """a saver whose context has ended, or was never kept, raises ProgrammingError:
    Cannot operate on a closed database."""
    path = str(tmp_path / "c.db")
    with SqliteSaver.from_conn_string(path) as ended:
        app = chain(State, a, saver=ended)
    expected = "ProgrammingError: Cannot operate on a closed database."
    assert raised(app.invoke, {"messages": []}, THREAD) == expected
    dropped = SqliteSaver.from_conn_string(path).__enter__()
    app = chain(State, a, saver=dropped)
    assert raised(app.invoke, {"messages": []}, THREAD) == expected


@fact("ex04.connection_of_one_os_thread")
def test_connection_of_one_os_thread(tmp_path: Path) -> None:
    """a connection with the default check_same_thread raises ProgrammingError: SQLite
    objects created in a thread can only be used in that same thread."""
    connection = sqlite3.connect(tmp_path / "c.db")
    app = chain(State, a, saver=SqliteSaver(connection))
    found = raised(app.invoke, {"messages": []}, THREAD)
    expected = (
        "ProgrammingError: SQLite objects created in a thread can only be used in that"
        " same thread."
    )
    assert found[: len(expected)] == expected


@fact("ex04.lost_update")
def test_lost_update(tmp_path: Path) -> None:
    """of two turns of one thread at once, each with a saver of its own on the same
    file, one is lost, and nothing is raised"""
    path = tmp_path / "c.db"
    chain(State, a, saver=sqlite_saver(path)).invoke({"messages": []}, THREAD)
    inside = threading.Barrier(2)

    def held(state: State) -> State:
        inside.wait(60)
        return {"messages": ["held"]}

    def turn() -> None:
        app = chain(State, held, saver=sqlite_saver(path))
        replies.append(raised(app.invoke, {"messages": ["turn"]}, THREAD))

    replies: list[str] = []
    turns = [threading.Thread(target=turn) for _ in range(2)]
    for each in turns:
        each.start()
    for each in turns:
        each.join()
    assert not [text for text in replies if "raised nothing" not in text]
    app = chain(State, a, saver=sqlite_saver(path))
    assert app.get_state(THREAD).values["messages"] == ["a", "turn", "held"]


@fact("ex04.database_is_locked")
def test_database_is_locked(tmp_path: Path) -> None:
    """while another connection holds the write lock for longer than the timeout, a
    run raises OperationalError: database is locked"""
    path = tmp_path / "c.db"
    chain(State, a, saver=sqlite_saver(path)).invoke({"messages": []}, THREAD)
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    mine = sqlite3.connect(path, check_same_thread=False, timeout=0)
    app = chain(State, a, saver=SqliteSaver(mine))
    found = raised(app.invoke, {"messages": []}, THREAD)
    assert found == "OperationalError: database is locked"


@fact("ex04.write_ahead_log")
def test_write_ahead_log(tmp_path: Path) -> None:
    """SqliteSaver puts its file into the mode of a write-ahead log"""
    path = tmp_path / "c.db"
    chain(State, a, saver=sqlite_saver(path)).invoke({"messages": []}, THREAD)
    (mode,) = sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone()
    assert mode == "wal"
    assert on_disk(path)
