"""Loops: what stops them, what that costs, and what a retry does."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import RemoveMessage, trim_messages
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.managed import IsLastStep, RemainingSteps

from tests.drift.small_graphs import (
    THREAD,
    another_process,
    chain,
    on_disk,
    raised,
    sqlite_saver,
)

fact = pytest.mark.fact
REACHED = (
    "GraphRecursionError: Recursion limit of {} reached without hitting a stop"
    " condition."
)


class State(TypedDict, total=False):
    tries: Annotated[int, operator.add]
    text: Annotated[list[str], operator.add]


def loop(saver: Any = None, size: int = 0) -> Any:
    """Return a graph of two nodes that never ends, and grows by `size` a round."""
    graph = StateGraph(State)
    graph.add_node("search", lambda state: {"tries": 1, "text": ["x" * size]})
    graph.add_node("router", lambda state: {})
    graph.add_edge(START, "search")
    graph.add_edge("search", "router")
    graph.add_conditional_edges("router", lambda state: "search", ["search"])
    return graph.compile(checkpointer=saver)


def limited(limit: int, **more: Any) -> Any:
    return {**THREAD, "recursion_limit": limit, **more}


@fact("ex06.default_limit")
def test_default_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """an endless loop of one node runs it 10007 times, then raises
    GraphRecursionError: Recursion limit of 10007 reached without hitting a stop
    condition; LANGGRAPH_DEFAULT_RECURSION_LIMIT is not read after the import"""
    monkeypatch.setenv("LANGGRAPH_DEFAULT_RECURSION_LIMIT", "9")
    calls: list[int] = []
    graph = StateGraph(State)
    graph.add_node("search", lambda state: calls.append(1))
    graph.add_edge(START, "search")
    graph.add_edge("search", "search")
    found = raised(graph.compile().invoke, {"tries": 0})
    assert REACHED.format(10007) in found
    assert len(calls) == 10007


@fact("ex06.limit_of_the_environment")
def test_limit_of_the_environment() -> None:
    """LANGGRAPH_DEFAULT_RECURSION_LIMIT sets the default: an endless loop of one node
    runs it so many times, then raises GraphRecursionError: Recursion limit of …
    reached without hitting a stop condition."""
    limit = {"LANGGRAPH_DEFAULT_RECURSION_LIMIT": "50"}
    answer = another_process("never_ends", **limit)
    assert "50 " + REACHED.format(50) in answer.stdout, answer.stderr


@fact("ex06.trimmed_messages_stay")
def test_trimmed_messages_stay() -> None:
    """messages that a node leaves out of what it returns stay in the state; those that
    it removes by RemoveMessage do not"""

    def shortens(state: MessagesState) -> Any:
        last = trim_messages(state["messages"], max_tokens=1, token_counter=len)
        return {"messages": last}

    def removes(state: MessagesState) -> Any:
        return {"messages": [RemoveMessage(m.id) for m in state["messages"][:-1]]}

    given = {"messages": ["a", "b", "c"]}
    assert len(chain(MessagesState, shortens).invoke(given)["messages"]) == 3
    assert len(chain(MessagesState, removes).invoke(given)["messages"]) == 1


@fact("ex06.limit_is_reached")
def test_limit_is_reached() -> None:
    """recursion_limit=N stops a loop after N steps of any node, with an error"""
    app = loop(InMemorySaver())
    found = raised(app.invoke, {"tries": 0}, limited(10))
    assert REACHED.format(10) in found
    assert "GRAPH_RECURSION_LIMIT" in found
    assert app.get_state(THREAD).values["tries"] == 5


@fact("ex06.limit_in_configurable_is_ignored")
def test_limit_in_configurable_is_ignored() -> None:
    """recursion_limit inside `configurable` is ignored"""
    config = limited(10)
    config["configurable"] = {"thread_id": "t1", "recursion_limit": 4}
    found = raised(loop(InMemorySaver()).invoke, {"tries": 0}, config)
    assert REACHED.format(10) in found


@fact("ex06.thread_stays_in_the_loop")
def test_thread_stays_in_the_loop() -> None:
    """after the error the thread waits at the next node of the loop"""
    app = loop(InMemorySaver())
    raised(app.invoke, {"tries": 0}, limited(9))
    assert app.get_state(THREAD).next == ("router",)


@fact("ex06.retry_runs_on")
def test_retry_runs_on() -> None:
    """each retry starts the limit again: 8 steps, then 10 more, then 10 more"""
    app = loop(InMemorySaver())
    found = []
    for given in ({"tries": 0}, None, None):
        assert REACHED.format(8) in raised(app.invoke, given, limited(8))
        found.append(app.get_state(THREAD).metadata["step"])
    assert found == [8, 18, 28]


@fact("ex06.retry_runs_two_more")
def test_retry_runs_two_more() -> None:
    """a loop of one node: 50 calls until a limit of 50, and 52 in each retry"""
    calls: list[int] = []
    graph = StateGraph(State)
    graph.add_node("search", lambda state: calls.append(1))
    graph.add_edge(START, "search")
    graph.add_conditional_edges("search", lambda state: "search", ["search"])
    app = graph.compile(checkpointer=InMemorySaver())
    found = []
    for given in ({"tries": 0}, None, None):
        assert REACHED.format(50) in raised(app.invoke, given, limited(50))
        assert app.get_state(THREAD).next == ("search",)
        found.append(len(calls) - sum(found))
    assert found == [50, 52, 52]


@fact("ex06.settled_at_the_limit")
def test_settled_at_the_limit() -> None:
    """a loop that its third step ends raises under a limit of 3, with nothing left"""
    graph = StateGraph(State)
    graph.add_node("search", lambda state: {"tries": 1})
    graph.add_edge(START, "search")
    ends = {True: END, False: "search"}
    graph.add_conditional_edges("search", lambda state: state["tries"] == 3, ends)
    app = graph.compile(checkpointer=InMemorySaver())
    assert REACHED.format(3) in raised(app.invoke, {"tries": 0}, limited(3))
    assert app.get_state(THREAD).next == ()


@fact("ex06.same_input_runs_on")
def test_same_input_runs_on() -> None:
    """the same question sent again after the error adds to what the thread holds"""
    app = loop(InMemorySaver())
    for _ in range(2):
        raised(app.invoke, {"tries": 0}, limited(8))
    assert app.get_state(THREAD).values["tries"] == 8


@fact("ex06.growth_is_quadratic")
def test_growth_is_quadratic(tmp_path: Path) -> None:
    """each step stores the whole state, so twice the rounds take about four times
    the space"""
    sizes = []
    for rounds in (20, 40):
        path = tmp_path / f"{rounds}.db"
        app = loop(sqlite_saver(path), size=4000)
        raised(app.invoke, {"tries": 0}, limited(2 * rounds))
        app.checkpointer.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        sizes.append(len(on_disk(path)))
    assert 3.2 < sizes[1] / sizes[0] < 4.2


class Counted(TypedDict, total=False):
    tries: Annotated[int, operator.add]
    remaining: RemainingSteps
    last: IsLastStep


@pytest.mark.parametrize(
    ("stop", "tries"),
    [
        pytest.param(
            lambda state: state["remaining"] <= 2, 8, marks=fact("ex06.remaining_steps")
        ),
        pytest.param(lambda state: state["last"], 9, marks=fact("ex06.is_last_step")),
    ],
)
def test_managed_values(stop: Any, tries: int) -> None:
    """with a limit of 10, RemainingSteps <= 2 ends a loop after 8 steps, IsLastStep
    after 9, and nothing is raised"""
    graph = StateGraph(Counted)
    graph.add_node("search", lambda state: {"tries": 1})
    graph.add_edge(START, "search")
    graph.add_conditional_edges(
        "search", lambda state: "__end__" if stop(state) else "search"
    )
    found = graph.compile().invoke({"tries": 0}, {"recursion_limit": 10})
    assert found["tries"] == tries


@fact("ex06.remaining_steps_start_again")
def test_remaining_steps_start_again() -> None:
    """RemainingSteps counts the steps of one run: a resumed run starts again"""
    seen: list[int] = []

    def search(state: Counted) -> Counted:
        seen.append(state["remaining"])
        return {"tries": 1}

    graph = StateGraph(Counted).add_node("search", search)
    graph.add_edge(START, "search").add_edge("search", "search")
    app = graph.compile(checkpointer=InMemorySaver())
    for given in ({"tries": 0}, None):
        raised(app.invoke, given, limited(4))
    assert seen[:4] == [3, 2, 1, 0]
    assert seen[4] > 3
