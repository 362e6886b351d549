"""What makes a test a fact: an id, a claim, and what was expected and found."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

COMPARED = pytest.StashKey[tuple[str, str]]()
SETTINGS = ("LANGGRAPH_", "LANGCHAIN_", "LANGSMITH_", "OPENAI_")
LENGTH = 500  # characters of what was expected or found that are kept


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark here, so that a copy of this file is all that a fact needs."""
    config.addinivalue_line(
        "markers", "fact(name): proves what notebooks say; see sentences.toml"
    )


def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> None:
    """Remember both sides of the comparison that fails: `found == expected`, or
    `expected in found`."""
    pair = (repr(right), repr(left))
    if op != "==":
        pair = (f"{left!r} {op} …", repr(right))
    config.stash[COMPARED] = (pair[0][:LENGTH], pair[1][:LENGTH])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Iterator[Any]:
    """Write the fact, and what was found in its place, into the report."""
    mark = item.get_closest_marker("fact")
    if mark and call.when == "setup":
        claim = " ".join((item.function.__doc__ or "").split())
        item.user_properties += [("fact", mark.args[0]), ("claim", claim)]
    problem = call.excinfo
    if mark and problem and not problem.errisinstance(pytest.skip.Exception):
        raised = f"{problem.typename}: {problem.value}"[:LENGTH]
        compared = item.config.stash.get(COMPARED, None)
        if compared is None or not problem.errisinstance(AssertionError):
            compared = ("", raised)
        item.user_properties += zip(("expected", "found"), compared, strict=True)
    item.config.stash[COMPARED] = None  # type: ignore[assignment]
    return (yield)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts hold with LangGraph's defaults, whatever this machine has set."""
    for name in [*os.environ]:
        if name.startswith(SETTINGS):
            monkeypatch.delenv(name)


@pytest.fixture
def models() -> Iterator[Any]:
    """Serve a model on loopback; `bodies` are the requests that it has answered."""
    from tests.fakes.model_bench import Bench

    made = Bench()
    try:
        yield made
        made.close()
    finally:
        made.loop.call_soon_threadsafe(made.loop.stop)
        made.thread.join()
        made.loop.close()


# Ends the server when nobody holds its standard input any more: at the end of the
# tests, and also when they were killed.
WATCH = 'cat >/dev/null; "$0" -D "$1/data" -m immediate -w stop; rm -rf "$1"'


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Serve a throw-away PostgreSQL on a unix socket; return its address."""
    homes = Path("/usr/lib/postgresql").glob("*/bin")
    path = os.pathsep.join([os.environ["PATH"], *map(str, homes)])
    initdb, control = (shutil.which(name, path=path) for name in ("initdb", "pg_ctl"))
    if not initdb or not control:
        pytest.skip("no initdb and pg_ctl; install the system package postgresql")
    folder = tempfile.mkdtemp(prefix="drift-pg-")
    # The server refuses to be run by root.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    user: Any = {"user": "nobody", "extra_groups": []} if root else {}
    if root:
        shutil.chown(folder, "nobody")
    more: Any = {"cwd": "/", "stdout": subprocess.DEVNULL, **user}
    with subprocess.Popen(
        ["sh", "-c", WATCH, control, folder],
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        **more,
    ):
        data, log = f"{folder}/data", f"{folder}/log"
        make = [initdb, "-D", data, "-A", "trust", "-U", "facts", "--no-sync"]
        options = f"-c listen_addresses= -c fsync=off -k {folder}"
        start = [control, "-D", data, "-l", log, "-o", options, "-t", "60", "-w"]
        subprocess.run(make, timeout=90, check=True, **more)
        subprocess.run([*start, "start"], timeout=90, check=True, **more)
        yield f"host={folder} user=facts dbname=postgres"


@pytest.fixture
def server(postgres: str) -> Iterator[Any]:
    """A connection to the server, from which everything can be seen."""
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


@pytest.fixture
def empty(postgres: str, server: Any) -> str:
    """The address of an empty database."""
    name = f"empty_{uuid4().hex}"
    server.execute(f'CREATE DATABASE "{name}"')
    return postgres.replace("dbname=postgres", f"dbname={name}")


@pytest.fixture
def migrated(empty: str) -> str:
    """The address of a database with LangGraph's tables."""
    from langgraph.checkpoint.postgres import PostgresSaver

    with PostgresSaver.from_conn_string(empty) as saver:
        saver.setup()
    return empty
