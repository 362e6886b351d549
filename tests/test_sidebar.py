"""The sidebar on Redis runs a graph where it can, and says plainly what it needs."""

from __future__ import annotations

import socket
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages

from grader.sidebar import on_redis


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


def counts(state: State) -> dict[str, Any]:
    return {"messages": [("ai", f"{len(state['messages'])} so far")]}


GRAPH = StateGraph(State).add_node(counts).add_edge(START, "counts").compile()


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the packages, which are no part of the course: a client that knows
    the modules in this list, and a saver that keeps its checkpoints in memory."""
    modules = ["search", "ReJSON"]

    class Client:
        @classmethod
        def from_url(cls, url: str) -> Client:
            port = int(url.rpartition(":")[2])
            socket.create_connection(("127.0.0.1", port)).close()
            return cls()

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def module_list(self) -> list[dict[bytes, bytes]]:
            return [{b"name": name.encode()} for name in modules]

    class Saver(InMemorySaver):
        @classmethod
        @contextmanager
        def from_conn_string(cls, url: str) -> Iterator[Saver]:
            yield cls()

        def setup(self) -> None:
            pass

    redis, savers = types.ModuleType("redis"), types.ModuleType("savers")
    redis.Redis, savers.RedisSaver = Client, Saver  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "redis", redis)
    monkeypatch.setitem(sys.modules, "langgraph.checkpoint.redis", savers)
    return modules


@pytest.fixture
def url() -> Iterator[str]:
    """The address of something that takes a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taking = threading.Thread(target=lambda: server.accept()[0].close())
        taking.start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}"
        with socket.create_connection(server.getsockname()):
            pass  # so that it takes one in any case
        taking.join()


def test_two_turns(packages: list[str], url: str) -> None:
    """with a server that has what it needs, the second turn knows the first"""
    assert on_redis(GRAPH, {"REDIS_URL": url}) == (
        "On Redis, 4 messages after two turns: 3 so far"
    )


def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """without the package its name is said"""
    monkeypatch.setitem(sys.modules, "langgraph.checkpoint.redis", None)
    said = on_redis(GRAPH, {"REDIS_URL": "redis://127.0.0.1:1"})
    assert said.endswith("the package langgraph-checkpoint-redis is not installed.")


def test_no_address(packages: list[str]) -> None:
    """without an address the modules that a server needs are named"""
    said = on_redis(GRAPH, {})
    assert "REDIS_URL names no server" in said
    assert "RediSearch and RedisJSON" in said


def test_nobody_there(packages: list[str]) -> None:
    """an address where nobody listens is no error, and is said"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    said = on_redis(GRAPH, {"REDIS_URL": f"redis://127.0.0.1:{port}"})
    assert said.startswith("Not run on Redis: no server answers at REDIS_URL")


def test_a_server_without_modules(packages: list[str], url: str) -> None:
    """a plain Redis is told from one with the modules, by name"""
    packages.remove("search")
    said = on_redis(GRAPH, {"REDIS_URL": url})
    assert said.startswith("Not run on Redis: the server lacks RediSearch; a Redis 8")


def test_no_graph(packages: list[str], url: str) -> None:
    """a submission that has not been run is asked for"""
    assert "run your submission first" in on_redis(None, {"REDIS_URL": url})
