"""Effects: what is repeated after a kill, by an interrupt, by a retry."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, TypedDict

import httpx
import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, RetryPolicy, interrupt

from tests.drift.small_graphs import THREAD, another_process, chain, raised

fact = pytest.mark.fact
KILLED = -9


class State(TypedDict, total=False):
    said: str


def charges(folder: Path, durability: str, dies: str) -> int:
    """Pay in a process that dies, resume in another; return how often was charged."""
    database, statement = str(folder / "checkpoints.db"), folder / "statement"
    given = (database, str(statement), durability)
    first = another_process("pays", *given, dies)
    assert first.returncode == KILLED, first.stderr
    second = another_process("pays", *given, "nowhere")
    assert second.returncode == 0, second.stderr
    return statement.read_text().count("charged")


@fact("ex07.killed_before_the_checkpoint")
def test_killed_before_the_checkpoint(tmp_path: Path) -> None:
    """killed after the effect and before its checkpoint, and resumed elsewhere, a
    node has its effect twice, with durability="sync" too"""
    assert charges(tmp_path, "sync", "charge") == 2


@fact("ex07.async_loses_the_last_step")
def test_async_loses_the_last_step(tmp_path: Path) -> None:
    """killed at the first line of the next node while the database is slow,
    durability="async" has not stored the node that has ended: its effect comes twice"""
    assert charges(tmp_path, "async", "receipt") == 2


@fact("ex07.sync_keeps_the_last_step")
def test_sync_keeps_the_last_step(tmp_path: Path) -> None:
    """killed at the first line of the next node while the database is slow,
    durability="sync" has stored the node that has ended: its effect comes once"""
    assert charges(tmp_path, "sync", "receipt") == 1


@fact("ex07.same_input_runs_again")
def test_same_input_runs_again() -> None:
    """the same input sent again on the same thread runs every node again"""
    done: list[str] = []

    def charge(state: State) -> None:
        done.append("charged")

    app = chain(State, charge, saver=InMemorySaver())
    for _ in range(2):
        app.invoke({"said": "pay"}, THREAD)
    assert done == ["charged"] * 2


def interrupted(effect: Any) -> None:
    """Run a node with an effect and two questions, and answer both."""

    def approve(state: State) -> State:
        effect()
        return {"said": interrupt("Pay?") + interrupt("Really?")}

    app = chain(State, approve, saver=InMemorySaver())
    given: tuple[Any, ...] = ({}, Command(resume="yes"), Command(resume="yes"))
    *_, last = (app.invoke(each, THREAD) for each in given)
    assert last["said"] == "yesyes"


@fact("ex07.interrupt_runs_its_node_again")
def test_interrupt_runs_its_node_again() -> None:
    """a node with two interrupts runs three times from its first line"""
    done: list[str] = []
    interrupted(lambda: done.append("charged"))
    assert len(done) == 3


@fact("ex07.task_is_not_repeated")
def test_task_is_not_repeated() -> None:
    """a @task inside such a node that has finished is not repeated"""
    done: list[str] = []

    @task
    def charge() -> str:
        done.append("charged")
        return "ok"

    interrupted(lambda: charge().result())
    assert len(done) == 1


@fact("ex07.task_is_repeated")
def test_task_is_repeated() -> None:
    """a @task that has finished runs again when a RetryPolicy repeats its node, and
    when the same input is sent again after an error"""
    done: list[str] = []

    @task
    def charge() -> str:
        done.append("charged")
        return "ok"

    def node(state: State) -> State:
        charge().result()
        raise ConnectionError

    policy = RetryPolicy(initial_interval=0.001, max_attempts=3, jitter=False)
    graph = StateGraph(State).add_node("node", node, retry_policy=policy)
    app = graph.add_edge(START, "node").compile(checkpointer=InMemorySaver())
    for calls in (3, 6):
        assert raised(app.invoke, {}, THREAD).startswith("ConnectionError")
        assert len(done) == calls


def http(status: int) -> httpx.HTTPStatusError:
    """Return what httpx raises for a response."""
    request = httpx.Request("POST", "http://ledger")
    response = httpx.Response(status, request=request)
    return httpx.HTTPStatusError("refused", request=request, response=response)


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        *((error, 3) for error in (ConnectionError(), Exception("other"))),
        *((error, 3) for error in (httpx.ConnectError(""), httpx.ReadTimeout(""))),
        *((http(status), 3) for status in (500, 503)),
        *((http(status), 1) for status in (409, 422)),
        *((error, 1) for error in (TimeoutError(), OSError(), KeyError("k"))),
        *((error, 1) for error in (ValueError(), RuntimeError())),
    ],
    ids=lambda value: repr(value)[:40],
)
@fact("ex07.what_is_retried")
def test_what_is_retried(error: Exception, attempts: int) -> None:
    """RetryPolicy repeats a node after ConnectionError, httpx timeouts, HTTP 5xx and
    a plain Exception; not after TimeoutError, OSError, ValueError, RuntimeError,
    KeyError or HTTP 4xx"""
    done: list[str] = []

    def charge(state: State) -> State:
        done.append("charged")
        raise error

    policy = RetryPolicy(initial_interval=0.001, max_attempts=3, jitter=False)
    graph = StateGraph(State).add_node("charge", charge, retry_policy=policy)
    found = raised(graph.add_edge(START, "charge").compile().invoke, {})
    assert found.startswith(type(error).__name__)
    assert len(done) == attempts


@fact("ex07.hash_is_salted")
def test_hash_is_salted() -> None:
    """hash() of the same text differs between two interpreters"""
    say = [sys.executable, "-c", "print(hash('order-1'))"]
    found = {
        subprocess.run(say, capture_output=True, check=True, env={}).stdout
        for _ in range(2)
    }
    assert len(found) == 2


@fact("ex07.exists_lets_two_in")
def test_exists_lets_two_in() -> None:
    """a look before the effect lets in two who look at once"""
    paid: list[str] = []
    both = threading.Barrier(2)

    def charge(state: State) -> None:
        if not paid:
            both.wait()  # so that each has looked before either has paid
            paid.append("charged")

    app = chain(State, charge)
    others = [threading.Thread(target=app.invoke, args=({},)) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert len(paid) == 2
