"""What makes a test a fact: an id, a claim, and what was expected and found."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Serve a throw-away PostgreSQL on a unix socket; return its address."""
    homes = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/opt").glob("pg*/bin")]
    path = os.pathsep.join([os.environ["PATH"], *map(str, homes)])
    programs = [shutil.which(name, path=path) for name in ("initdb", "pg_ctl")]
    if None in programs:
        pytest.skip("no initdb and pg_ctl; install the system package postgresql")
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        user = {}
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # The server refuses to be run by root.
            shutil.chown(name, "nobody")
            user = {"user": "nobody", "extra_groups": []}
        data = f"{name}/data"
        server = f"-c listen_addresses= -c fsync=off -k {name}"
        control = [programs[1], "-D", data, "-l", f"{name}/log", "-t", "60", "-w"]
        for command in (
            [programs[0], "-D", data, "-A", "trust", "-U", "facts", "--no-sync"],
            [*control, "-o", server, "start"],
        ):
            # Its output goes to a file: the server would keep a pipe open.
            with open(f"{name}-output", "wb") as output:
                ended = subprocess.run(
                    command, cwd=name, stdout=output, stderr=output, timeout=90, **user
                )
            said = Path(f"{name}-output").read_text()
            Path(f"{name}-output").unlink()
            assert ended.returncode == 0, said
        try:
            yield f"host={name} user=facts dbname=postgres"
        finally:
            stop = [*control[:3], "-m", "immediate", "-w", "stop"]
            subprocess.run(stop, cwd=name, capture_output=True, timeout=90, **user)
