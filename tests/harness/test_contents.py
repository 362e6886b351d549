"""What a database holds is read as data: named, judged, and never revived."""

import sqlite3
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pytest
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Interrupt, Send
from pydantic import BaseModel

from grader.harness import checkpoints
from grader.harness.leaks import Secrets

KEY = "sk-" + "0f" * 16
PLAIN = [
    "text",
    7,
    0.5,
    None,
    True,
    b"bytes",
    [1, (2, {"a": [3]})],
    {1, 2},
    deque([1]),
    datetime.now(UTC),
    uuid.uuid4(),
    Decimal("1.5"),
    Path("a/b"),
    HumanMessage("hello"),
    [AIMessage("hi", usage_metadata=None), ToolMessage("x", tool_call_id="1")],
    [Document("a page", metadata={"source": "b"})],
    Send("node", {"a": 1}),
    Interrupt("why"),
]


@dataclass
class Settings:
    """A class of a learner's own."""

    model: str


class Model(BaseModel):
    """A pydantic class of a learner's own."""

    name: str


FOREIGN = {
    "Settings": Settings("m"),
    "Model": [{"deep": (Model(name="m"),)}],
    "ChatOpenAI": ChatOpenAI(model="m", api_key=KEY),
    "ndarray": numpy.zeros(3),
    "a pickle": b"\x80\x04\x95data.",
}


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[SqliteSaver]:
    """A saver on a database of its own."""
    path = tmp_path / "checkpoints.db"
    checkpoints.create(path)
    connection = sqlite3.connect(path, check_same_thread=False)
    yield SqliteSaver(connection, serde=JsonPlusSerializer(pickle_fallback=True))
    connection.close()


def inspected(saver: SqliteSaver, value: Any, **metadata: Any) -> dict[str, Any]:
    """Store a value as LangGraph does, and return what the trusted side sees."""
    config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    checkpoint = empty_checkpoint() | {"channel_values": {"value": value}}
    saver.put(config, checkpoint, {"step": 1, **metadata}, {})  # type: ignore[arg-type]
    file = Path(saver.conn.execute("PRAGMA database_list").fetchone()[2])
    return checkpoints.inspect(file, Secrets({0: KEY}))


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_data_and_messages_are_at_home(saver: SqliteSaver, value: Any) -> None:
    """plain data, messages and LangGraph's own values are not foreign"""
    assert inspected(saver, value)["foreign"] == []


@pytest.mark.parametrize("name", FOREIGN)
def test_classes_are_foreign(saver: SqliteSaver, name: str) -> None:
    """a value that names a class is foreign, however deep it lies"""
    found = inspected(saver, FOREIGN[name])["foreign"]
    assert found[0]["where"] == "channel value"
    assert name in found[0]["type"]


def test_a_pickled_row_is_foreign(saver: SqliteSaver) -> None:
    """what only the program itself can read is not data"""
    (found,) = inspected(saver, object())["foreign"]
    assert "pickle" in found["type"]


def test_nothing_that_is_read_runs(saver: SqliteSaver, tmp_path: Path) -> None:
    """a row that names a function is read, and the function is not called"""
    import ormsgpack

    called = tmp_path / "called"
    call = ormsgpack.packb(["pathlib", "Path.touch", str(called)])
    state = {"channel_values": {"value": ormsgpack.Ext(0, call)}}
    inspected(saver, 1)
    packed = ormsgpack.packb(state)
    saver.conn.execute("UPDATE checkpoints SET checkpoint = ?", [packed])
    saver.conn.commit()
    checkpoints.inspect(tmp_path / "checkpoints.db", Secrets({0: KEY}))
    assert not called.exists()


def test_a_key_is_shown_masked(saver: SqliteSaver) -> None:
    """a picture of the row shows the last characters of a key, and never the key"""
    seen = inspected(saver, ChatOpenAI(model="m", api_key=KEY))
    (channel,) = seen["rows"][0]["channels"]
    assert f"sk-…{KEY[-4:]}" in channel["text"]
    assert KEY not in str(seen["rows"])
    assert "table checkpoints" in [place["where"] for place in seen["keys"]]


def test_a_key_in_metadata_is_found(saver: SqliteSaver) -> None:
    """metadata is stored too"""
    seen = inspected(saver, 1, billed_to=KEY)
    assert seen["foreign"] == []
    assert sorted({place["process"] for place in seen["keys"]}) == [0]


def test_sizes_add_up(saver: SqliteSaver) -> None:
    """each checkpoint of a thread has its bytes"""
    inspected(saver, "x" * 100)
    seen = inspected(saver, "x" * 10_000)
    first, second = seen["sizes_b"]["t"]
    assert first < 1000 < 10_000 < second
    assert seen["size_b"] > second


def test_rubbish_is_no_error(saver: SqliteSaver, tmp_path: Path) -> None:
    """an odd row, and a file that is no database, are looked at all the same"""
    inspected(saver, 1)
    saver.conn.execute("UPDATE checkpoints SET checkpoint = ?", [b"\xc1\xff"])
    saver.conn.commit()
    (found,) = checkpoints.inspect(tmp_path / "checkpoints.db", Secrets({}))["foreign"]
    assert found["where"] == "checkpoint"
    (tmp_path / "other.db").write_bytes(b"no database")
    (found,) = checkpoints.inspect(tmp_path / "other.db", Secrets({}))["foreign"]
    assert found["where"] == "other.db"
