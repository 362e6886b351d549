"""A forked process with a variable set is what a fresh interpreter with it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.harness.preloaded import PRELOAD
from grader.vocabulary import environment, process
from grader.vocabulary.scenario import Step
from tests.harness import small

# Tells everything that depends on the variables: constants, the serializers that
# classes and functions made when they were imported, and what a graph then does.
PROBE = """
import dataclasses, datetime, inspect, json, os, sqlite3, sys, uuid, warnings
import langgraph.checkpoint.serde.encrypted, langgraph.func, langgraph.prebuilt
import langgraph.checkpoint.postgres.aio, langgraph.checkpoint.sqlite.aio
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.errors import GraphRecursionError
from langgraph.graph import START, StateGraph

@dataclasses.dataclass
class Own:
    n: int

# The grader's own modules are in no submission's way: none can be imported by accident.
OURS = ("langgraph", "submission", "probe", "__main__", "grader")
VALUES = [Own(1), AIMessage("a"), {1}, uuid.UUID(int=1), datetime.date(2020, 1, 1)]

def shown(value):
    if isinstance(value, JsonPlusSerializer):
        return f"allows {value._allowed_msgpack_modules!r}"
    if type(value) in (bool, int) or isinstance(value, int):
        return f"{type(value).__name__} {int(value)}"
    return ""

def defaults(function):
    found = getattr(function, "__defaults__", None)
    return found if isinstance(found, tuple) else ()

def constants():
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] != "langgraph" or module is None:
            continue
        for key, value in sorted(vars(module).items()):
            if key.isupper():
                found[f"{name}.{key}"] = shown(value)
            if inspect.isclass(value) or inspect.isfunction(value):
                inner = dict(vars(value)) if inspect.isclass(value) else {}
                inner |= dict(enumerate(defaults(value)))
                for part, held in inner.items():
                    for default in defaults(held):
                        found[f"{name}.{key}.{part}.default"] = shown(default)
                    found[f"{name}.{key}.{part}"] = shown(held)
    return {key: value for key, value in found.items() if value}

def stale():
    found = []
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] in OURS:
            continue
        for key, value in list(vars(module).items()) if module else ():
            home = str(getattr(value, "__module__", ""))
            if home.partition(".")[0] == "langgraph":
                found.append(f"{name}.{key}")
    return found

def trip(saver):
    config = {"configurable": {"thread_id": "1"}}
    seen = []
    builder = StateGraph(dict)
    builder.add_node("a", lambda state: {"values": VALUES})
    builder.add_edge(START, "a")
    graph = builder.compile(checkpointer=saver)
    graph.invoke({"values": []}, config)
    values = graph.get_state(config).values
    for value in values["values"]:
        seen.append(type(value).__name__)
    return seen

def fuse():
    steps = []
    builder = StateGraph(dict)
    builder.add_node("a", lambda state: steps.append(1) or {"n": len(steps)})
    builder.add_edge(START, "a")
    builder.add_edge("a", "a")
    try:
        builder.compile().invoke({"n": 0})
    except GraphRecursionError as problem:
        return [len(steps), str(problem)[:60]]

def chat(thread_id, text):
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    savers = [SqliteSaver(connection), InMemorySaver()]
    return json.dumps({
        "constants": constants(), "stale": stale(), "trips": [*map(trip, savers)],
        "fuse": fuse() if "LANGGRAPH_DEFAULT_RECURSION_LIMIT" in os.environ else None,
    })
"""
LIMIT, STRICT = "LANGGRAPH_DEFAULT_RECURSION_LIMIT", "LANGGRAPH_STRICT_MSGPACK"


@pytest.mark.parametrize(
    "sets",
    [{}, {STRICT: "true"}, {STRICT: "1", LIMIT: "9"}],
    ids=lambda sets: "+".join(sets) or "none",
)
def test_a_forked_process_is_a_fresh_one(
    warm: small.Warm, tmp_path: Path, sets: dict[str, str]
) -> None:
    """constants, serializers, round trips and the recursion limit are the same"""
    steps: list[Step] = [environment.sets(name, sets[name]) for name in sets]
    steps.append(process(0).calls("chat", "t", "x"))
    forked = json.loads(warm.history(PROBE, *steps).replies[0].value)
    fresh = _fresh(tmp_path, sets)
    assert fresh["trips"] == forked["trips"]
    assert fresh["fuse"] == forked["fuse"]
    # A forked process has imported more modules; of all that a fresh one has, each
    # constant and each serializer is the same.
    differ = {
        name: (value, forked["constants"].get(name))
        for name, value in fresh["constants"].items()
        if forked["constants"].get(name) != value
    }
    assert differ == {}
    assert len(fresh["constants"]) > 20
    assert forked["stale"] == fresh["stale"] == []


def _fresh(folder: Path, sets: dict[str, str]) -> dict[str, object]:
    """Return what the probe says in an interpreter that was started with `sets`."""
    (folder / "probe.py").write_text(PROBE, encoding="utf-8")
    names = [name for name in PRELOAD if ":" not in name]
    imports = "".join(f"import {name}\n" for name in names)
    code = f"{imports}import probe\nprint(probe.chat('t', 'x'))"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LANGGRAPH_")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=clean | sets,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_strict_mode_is_strict(warm: small.Warm) -> None:
    """what strict mode blocks comes back as data, and only where it is set"""
    call = process(0).calls("chat", "t", "x")
    strict = environment.sets(STRICT, "true")
    kinds = []
    for steps in ((call,), (strict, call)):
        answer = json.loads(warm.history(PROBE, *steps).replies[0].value)
        kinds.append({trip[0] for trip in answer["trips"]})
    assert kinds == [{"Own"}, {"dict"}]
