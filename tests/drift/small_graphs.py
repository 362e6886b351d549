"""The few lines that most facts share: a graph, an error as text, a second process."""

from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

LIMIT_S = 60  # turns a hang into a failure, also on a busy machine
PROGRAMS = Path(__file__).with_name("programs")
THREAD: Any = {"configurable": {"thread_id": "t1"}}


def chain(
    state: Any, *nodes: Callable[..., Any], saver: Any = None, **more: Any
) -> Any:
    """Compile a graph that runs `nodes` one after the other, each by its own name."""
    graph = StateGraph(state, **more)
    names = [START, *(node.__name__ for node in nodes), END]
    for node in nodes:
        graph.add_node(node.__name__, node)
    for name, following in itertools.pairwise(names):
        graph.add_edge(name, following)
    return graph.compile(checkpointer=saver)


def raised(act: Callable[..., Any], *given: Any, **named: Any) -> str:
    """Return the class and the message of what a call raises, or say what came back."""
    try:
        value = act(*given, **named)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
    return f"raised nothing, returned {value!r}"


def sqlite_saver(path: Path) -> SqliteSaver:
    """Return a saver on a real file."""
    return SqliteSaver(sqlite3.connect(path, check_same_thread=False))


def on_disk(path: Path) -> bytes:
    """Return all bytes of a SQLite database, those of its log included."""
    files = sorted(path.parent.glob(f"{path.name}*"))
    return b"".join(file.read_bytes() for file in files)


def another_process(
    name: str, *given: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run one of `programs/` in a process of its own."""
    return subprocess.run(
        [sys.executable, PROGRAMS / f"{name}.py", *given],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
