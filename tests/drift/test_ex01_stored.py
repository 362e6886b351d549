"""Objects in the state of a graph: what ends in the database, and who reads it."""

from __future__ import annotations

import operator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import httpx
import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from langgraph.channels.untracked_value import UntrackedValue
from langgraph.runtime import Runtime

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


def model() -> ChatOpenAI:
    # Nobody listens there: a key that is revived by mistake is sent to nobody.
    nowhere = "http://127.0.0.1:9/v1"
    return ChatOpenAI(model="stand-in", api_key=KEY, base_url=nowhere, max_retries=0)


def first(state: State) -> State:
    return {"done": ["first"]}


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
        line = "Deserializing unregistered type langchain_openai.chat_models.base."
        assert f"{line}ChatOpenAI from checkpoint." in answer.stderr


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
    """text and a number in `configurable`, and in `metadata`, are copied into the
    database; what is inside of a dict there is not"""
    path = tmp_path / "c.db"
    config: Any = {"configurable": {"thread_id": "t1"}, "metadata": {}}
    config[where] |= {"note": KEY, "number": 271828, "inside": {"note": "deep inside"}}
    chain(State, first, saver=sqlite_saver(path)).invoke({"done": []}, config)
    assert KEY.encode() in on_disk(path)
    assert b"271828" in on_disk(path)
    assert b"deep inside" not in on_disk(path)


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


@fact("ex01.updates_have_a_table")
def test_updates_have_a_table(tmp_path: Path) -> None:
    """what a node returned is stored in the table `writes` as well, and there a client
    is refused first"""

    def configure(state: State) -> State:
        return {"held": model()}

    def connect(state: State) -> State:
        return {"held": httpx.Client()}

    saver = sqlite_saver(tmp_path / "c.db")
    app = chain(State, configure, connect, first, saver=saver)
    with pytest.raises(TypeError) as refused:
        app.invoke({"done": []}, THREAD)
    assert "put_writes" in [entry.name for entry in refused.traceback]
    stored = [value for (value,) in saver.conn.execute("SELECT value FROM writes")]
    assert [KEY.encode() in value for value in stored if value].count(True) == 1


@fact("ex01.unknown_input_is_stored")
def test_unknown_input_is_stored(tmp_path: Path) -> None:
    """an input whose name is no field of the state is stored all the same"""
    path = tmp_path / "c.db"
    app = chain(State, first, saver=sqlite_saver(path))
    given = {"done": [], "stranger": model()}
    assert "stranger" not in app.invoke(given, THREAD)
    assert KEY.encode() in on_disk(path)
