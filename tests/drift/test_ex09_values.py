"""PostgreSQL: which values are refused, and which are stored as bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import MessagesState

from tests.drift.on_postgres import State
from tests.drift.small_graphs import THREAD, chain, raised

fact = pytest.mark.fact


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"said": "a\x00b"}, "UntranslatableCharacter"),
        ({"score": float("nan")}, "InvalidTextRepresentation"),
    ],
    ids=["NUL", "NaN"],
)
@fact("ex09.what_is_refused")
def test_what_is_refused(migrated: str, value: Any, error: str) -> None:
    """a NUL character and NaN in a channel of their own are refused"""
    with PostgresSaver.from_conn_string(migrated) as saver:
        app = chain(State, answer_with(value), saver=saver)
        assert raised(app.invoke, {}, THREAD).partition(":")[0] == error


def answer_with(value: Any) -> Callable[[State], State]:
    def answer(state: State) -> State:
        return value

    return answer


@fact("ex09.messages_are_bytes")
def test_messages_are_bytes(migrated: str) -> None:
    """a NUL character in a message is stored, and is there for the next turn"""

    def say(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage("a\x00b")]}

    with PostgresSaver.from_conn_string(migrated) as saver:
        app = chain(MessagesState, say, saver=saver)
        app.invoke({"messages": []}, THREAD)
        found = app.get_state(THREAD).values["messages"]
    assert [message.content for message in found] == ["a\x00b"]
