"""Objects in the state of a graph: what is refused, and what is stored all the same."""

from __future__ import annotations

import collections
import dataclasses
import enum
import io
import operator
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypedDict

import httpx
import openai
import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langgraph.channels.untracked_value import UntrackedValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.runtime import Runtime
from pydantic import BaseModel

from tests.drift.small_graphs import (
    THREAD,
    another_process,
    chain,
    on_disk,
    raised,
    sqlite_saver,
)
from tests.fakes.model_bench import Bench

fact = pytest.mark.fact
KEY = "sk-drift-4711"
STRICT = {"LANGGRAPH_STRICT_MSGPACK": "true"}
REFUSED = "TypeError: Type is not msgpack serializable: "


class State(TypedDict, total=False):
    held: Any
    done: Annotated[list[str], operator.add]


class Plain:
    """A class of a learner's own."""


@dataclasses.dataclass
class Point:
    x: int


class Colour(enum.Enum):
    RED = "red"


class Pair(NamedTuple):
    x: int


class Form(BaseModel):
    x: int


class Name(str):
    __slots__ = ()


def model(**more: Any) -> ChatOpenAI:
    return ChatOpenAI(model="stand-in", api_key=KEY, max_retries=0, **more)


def first(state: State) -> State:
    return {"done": ["first"]}


def second(state: State) -> State:
    return {"done": ["second"]}


async def _coroutine() -> None: ...


def round_trip(value: Any) -> Any:
    serde = JsonPlusSerializer()
    return serde.loads_typed(serde.dumps_typed({"value": value}))["value"]


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
@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize("name", LIVE)
def test_live_objects_are_refused(name: str) -> None:
    """with a checkpointer a live object raises TypeError: Type is not msgpack
    serializable, and the name of its class"""
    app = chain(State, first, saver=InMemorySaver())
    found = raised(app.invoke, {"held": LIVE[name]()}, THREAD)
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


@fact("ex01.key_in_the_database")
def test_key_in_the_database(tmp_path: Path) -> None:
    """a ChatOpenAI in the state raises nothing: it is stored, its API key in clear
    text"""
    path = tmp_path / "c.db"
    chain(State, first, saver=sqlite_saver(path)).invoke({"held": model()}, THREAD)
    assert KEY.encode() in on_disk(path)


@fact("ex01.model_is_revived")
def test_model_is_revived(tmp_path: Path) -> None:
    """another process that reads the thread gets a ChatOpenAI that has the key"""
    path = tmp_path / "c.db"
    chain(State, first, saver=sqlite_saver(path)).invoke({"held": model()}, THREAD)
    held = chain(State, first, saver=sqlite_saver(path)).get_state(THREAD)
    held = held.values["held"]
    assert type(held).__name__ == "ChatOpenAI"
    assert held.openai_api_key.get_secret_value() == KEY


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, marks=fact("ex01.another_process_sends_the_key")),
        pytest.param(STRICT, marks=fact("ex01.strict_mode_trusts_annotations")),
    ],
    ids=["default", "strict"],
)
def test_another_process_sends_the_key(
    tmp_path: Path, models: Bench, given: dict[str, str]
) -> None:
    """another process, without a key of its own, calls the model with the revived
    one; in strict mode too, where a field of its state is annotated with ChatOpenAI"""
    path = tmp_path / "c.db"
    held = {"held": models.model()}
    chain(State, first, saver=sqlite_saver(path)).invoke(held, THREAD)
    assert len(models.bodies) == 0
    annotated = ["annotated"] if given else []
    answer = another_process("reads_the_thread", str(path), *annotated, **given)
    assert len(models.bodies) == 1, answer.stdout + answer.stderr
    if not given:
        assert "Deserializing unregistered type" in answer.stderr


@fact("ex01.strict_mode_revives_a_dict")
def test_strict_mode_revives_a_dict(tmp_path: Path) -> None:
    """with LANGGRAPH_STRICT_MSGPACK=true the model comes back as a dict, and the node
    raises AttributeError: 'dict' object has no attribute 'invoke'"""
    path = tmp_path / "c.db"
    chain(State, first, saver=sqlite_saver(path)).invoke({"held": model()}, THREAD)
    answer = another_process("reads_the_thread", str(path), **STRICT)
    expected = "AttributeError: 'dict' object has no attribute 'invoke'"
    assert answer.stdout.strip() == expected, answer.stderr


RUNNABLES = {
    "chain": lambda: ChatPromptTemplate.from_template("{x}") | model(),
    "bind_tools": lambda: model().bind_tools([{"name": "f", "description": ""}]),
}


@fact("ex01.chains_come_back_broken")
@pytest.mark.parametrize("name", RUNNABLES)
def test_chains_come_back_broken(tmp_path: Path, name: str) -> None:
    """a chain and a model with tools are stored without an error, and cannot be
    called when they are read back"""
    path = tmp_path / "c.db"
    held = {"held": RUNNABLES[name]()}
    chain(State, first, saver=sqlite_saver(path)).invoke(held, THREAD)
    state = chain(State, first, saver=sqlite_saver(path)).get_state(THREAD)
    found = raised(lambda: state.values["held"].invoke({"x": "Hi"}))
    assert found == "AttributeError: 'dict' object has no attribute 'invoke'"


class Untracked(TypedDict, total=False):
    held: Annotated[Any, UntrackedValue]
    done: Annotated[list[str], operator.add]


def writes_the_model(state: Untracked) -> Untracked:
    return {"held": model()}


@fact("ex01.untracked_value_of_a_node")
def test_untracked_value_of_a_node(tmp_path: Path) -> None:
    """what a node writes to an UntrackedValue is not stored"""
    path = tmp_path / "c.db"
    app = chain(Untracked, writes_the_model, first, saver=sqlite_saver(path))
    app.invoke({"done": []}, THREAD)
    assert KEY.encode() not in on_disk(path)


@fact("ex01.untracked_value_as_input")
def test_untracked_value_as_input(tmp_path: Path) -> None:
    """an UntrackedValue that is given as input is stored, key included"""
    path = tmp_path / "c.db"
    app = chain(Untracked, first, saver=sqlite_saver(path))
    app.invoke({"held": model()}, THREAD)
    assert KEY.encode() in on_disk(path)


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("configurable", marks=fact("ex01.configurable_is_stored")),
        pytest.param("metadata", marks=fact("ex01.metadata_is_stored")),
    ],
)
def test_config_is_stored(tmp_path: Path, where: str) -> None:
    """text in `configurable`, and in `metadata`, is copied into the database"""
    path = tmp_path / "c.db"
    config: Any = {"configurable": {"thread_id": "t1"}, "metadata": {}}
    config[where]["note"] = KEY
    chain(State, first, saver=sqlite_saver(path)).invoke({"done": []}, config)
    assert KEY.encode() in on_disk(path)


class Context(TypedDict):
    model: Any
    key: str


@fact("ex01.context_is_not_stored")
def test_context_is_not_stored(tmp_path: Path) -> None:
    """what is given as `context` reaches the node as it is, and is not stored"""
    path = tmp_path / "c.db"
    given: Context = {"model": model(), "key": KEY}
    seen: list[Any] = []

    def looks(state: State, runtime: Runtime[Context]) -> State:
        seen.append(runtime.context["model"])
        return {"done": ["looked"]}

    app = chain(State, looks, saver=sqlite_saver(path), context_schema=Context)
    app.invoke({"done": []}, THREAD, context=given)
    assert seen == [given["model"]]
    assert KEY.encode() not in on_disk(path)


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
@pytest.mark.parametrize("value", [Point(1), Colour.RED, Pair(1), Form(x=1)], ids=str)
def test_classes_are_revived(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    """a dataclass, an enum, a named tuple and a pydantic model come back as they
    were, and a line of the log says that this will be blocked in a future version"""
    found = round_trip(value)
    assert (type(found), found) == (type(value), value)
    name = f"{type(value).__module__}.{type(value).__name__}"
    assert f"Deserializing unregistered type {name} from checkpoint." in caplog.text
    assert "This will be blocked in a future version" in caplog.text
    assert "allowed_msgpack_modules" in caplog.text


@fact("ex01.large_integers_are_refused")
def test_large_integers_are_refused() -> None:
    """an integer of more than 64 bits raises: Integer exceeds 64-bit range"""
    app = chain(State, first, saver=InMemorySaver())
    found = raised(app.invoke, {"held": 2**64}, THREAD)
    assert found == "TypeError: Integer exceeds 64-bit range"


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


class NoResult(TypedDict):
    question: str


def returns_a_result(state: NoResult) -> Any:
    return {"result": "42"}


@fact("ex01.undeclared_result_is_dropped")
def test_undeclared_result_is_dropped() -> None:
    """a result whose key the state does not have is dropped, and nothing says so"""
    app = chain(NoResult, returns_a_result)
    assert app.invoke({"question": "?"}) == {"question": "?"}


@fact("ex01.rows_before_the_error_stay")
def test_rows_before_the_error_stay(tmp_path: Path) -> None:
    """the steps before a TypeError stay stored: the question, and the model with its
    key"""

    def configure(state: State) -> State:
        return {"held": model()}

    def connect(state: State) -> State:
        return {"held": httpx.Client()}

    path = tmp_path / "c.db"
    app = chain(State, configure, connect, first, saver=sqlite_saver(path))
    found = raised(app.invoke, {"done": ["My question"]}, THREAD)
    assert found == REFUSED + "Client"
    assert b"My question" in on_disk(path)
    assert KEY.encode() in on_disk(path)


@fact("ex01.unknown_input_is_stored")
def test_unknown_input_is_stored(tmp_path: Path) -> None:
    """an input whose name is no field of the state is stored all the same"""
    path = tmp_path / "c.db"
    app = chain(State, first, saver=sqlite_saver(path))
    given = {"done": [], "stranger": model()}
    assert "stranger" not in app.invoke(given, THREAD)
    assert KEY.encode() in on_disk(path)


@fact("ex01.pickle_fallback")
def test_pickle_fallback(tmp_path: Path) -> None:
    """with pickle_fallback=True a row that holds what msgpack refuses is a pickle"""
    serde = JsonPlusSerializer(pickle_fallback=True)
    connection = sqlite3.connect(tmp_path / "c.db", check_same_thread=False)
    app = chain(State, first, saver=SqliteSaver(connection, serde=serde))
    app.invoke({"held": Plain()}, THREAD)
    kinds = {kind for (kind,) in connection.execute("SELECT type FROM checkpoints")}
    assert "pickle" in kinds


@fact("ex01.missing_class_is_a_dict")
def test_missing_class_is_a_dict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a reader that lacks the class gets a dict, and writes the dict back"""
    path = tmp_path / "c.db"
    mine = dataclasses.make_dataclass("Mine", [("x", int)])
    mine.__module__ = __name__  # which make_dataclass cannot be told in Python 3.11
    monkeypatch.setattr(sys.modules[__name__], "Mine", mine, raising=False)
    chain(State, first, saver=sqlite_saver(path)).invoke({"held": mine(1)}, THREAD)
    monkeypatch.undo()
    app = chain(State, first, saver=sqlite_saver(path))
    assert app.invoke({}, THREAD)["held"] == {"x": 1}
    monkeypatch.setattr(sys.modules[__name__], "Mine", mine, raising=False)
    app = chain(State, first, saver=sqlite_saver(path))
    assert app.get_state(THREAD).values["held"] == {"x": 1}


@fact("ex01.postgres_refuses_nul")
def test_postgres_refuses_nul(postgres: str) -> None:
    """PostgreSQL refuses a text with a NUL character, which SQLite stores"""
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(postgres) as saver:
        saver.setup()
        app = chain(State, first, saver=saver)
        found = raised(app.invoke, {"held": "a\x00b"}, THREAD)
    assert found.split(":")[0] in ("UntranslatableCharacter", "DataError")
