"""The container file says what the lessons ask for, and what it starts really runs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.deploying.files import (
    APP,
    DEPLOY,
    ROOT,
    container,
    instructions,
    one,
    variables,
)
from tests.harness.postgres import Server

LIMIT_S = 60.0  # turns a hang into a failure; the machine may be crowded
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
RUNNING = re.compile(r"Uvicorn running on (http://\S+)")
READ = re.compile(r"os\.environ\[[\"'](\w+)[\"']\]")


def said(name: str) -> list[str]:
    """Return what the instructions of a name say."""
    return [each.text for each in instructions() if each.name == name]


def test_not_root() -> None:
    """the last user is a number other than root's, the one that the manifests name"""
    names = [each.name for each in instructions()]
    assert names[-1] == "CMD"
    (user,) = said("USER")
    assert int(user) >= 1000
    for kind in ("Deployment", "Job"):
        pods = one(kind)["spec"]["template"]["spec"]
        assert pods["securityContext"]["runAsUser"] == int(user)


def test_images_are_named_with_a_version() -> None:
    """each stage starts from a named version; what builds is not in what runs"""
    stages = said("FROM")
    assert len(stages) == 2
    assert all(re.match(r"python:3\.1\d-slim( AS \w+)?$", stage) for stage in stages)
    last = [each.name for each in instructions()][::-1].index("FROM")
    assert not any("pip" in each.text for each in instructions()[-last:])


def test_only_what_is_pinned_is_installed() -> None:
    """pip takes the lock, with hashes, and installs nothing else"""
    (installs,) = (text for text in said("RUN") if "pip" in text)
    assert "--require-hashes" in installs
    assert "--requirement /build/requirements.lock" in installs


def test_what_is_copied_is_there() -> None:
    """each file that is copied is let through by .dockerignore, and is there

    `app/` is made by unpack.py.
    """
    ignored = (DEPLOY / ".dockerignore").read_text(encoding="utf-8").split("\n")
    assert "*" in ignored
    copied = [text.split()[-2] for text in said("COPY") if "--from" not in text]
    assert set(copied) == {"app/", "migrate.py", "requirements.lock"}
    for name in copied:
        assert f"!{name}*.py" in ignored if name == "app/" else f"!{name}" in ignored
        assert name == "app/" or (DEPLOY / name).is_file()


def test_the_lock_is_the_courses() -> None:
    """each pin of the container is the version that the course is tested with"""
    own = PIN.findall((DEPLOY / "requirements.lock").read_text(encoding="utf-8"))
    course = PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert set(own) <= set(course)
    wanted = (DEPLOY / "requirements.in").read_text(encoding="utf-8").splitlines()
    names = {line.partition("[")[0] for line in wanted if not line.startswith("#")}
    assert names <= {name for name, _ in own}
    lines = (DEPLOY / "requirements.lock").read_text(encoding="utf-8")
    assert lines.count("--hash=sha256:") >= len(own)


def test_the_health_check_asks_the_path_of_the_probes() -> None:
    """the container's own check and the probes ask the same path and port"""
    (check,) = said("HEALTHCHECK")
    (port,) = said("EXPOSE")
    path = container(one("Deployment"))["livenessProbe"]["httpGet"]["path"]
    assert f"http://127.0.0.1:{port}{path}" in check


def test_a_notebook_is_unpacked(tmp_path: Path) -> None:
    """the modules of a submission become files; a text without marks is app.py"""
    cell = f"%%submission\n{APP.read_text(encoding='utf-8')}"
    notebook = {"cells": [{"source": ["x = 1"]}, {"source": cell.splitlines(True)}]}
    source = tmp_path / "mine.ipynb"
    source.write_text(json.dumps(notebook))
    unpack(source, tmp_path / "app")
    names = re.findall(r"^# === module: (.+) ===$", cell, re.MULTILINE)
    assert sorted(names) == sorted(p.name for p in (tmp_path / "app").iterdir())
    for path in (tmp_path / "app").iterdir():
        compile(path.read_text(encoding="utf-8"), path.name, "exec")
    plain = tmp_path / "plain.py"
    plain.write_text("api = None\n")
    unpack(plain, tmp_path / "plain")
    assert (tmp_path / "plain" / "app.py").read_text() == "api = None\n"


def unpack(source: Path, folder: Path) -> None:
    command = [sys.executable, str(DEPLOY / "unpack.py"), str(source), str(folder)]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """An empty database of a throw-away server, for a role without other rights."""
    server = Server()
    try:
        yield server.create().url
    finally:
        server.close()


def environment(url: str, kind: str) -> dict[str, str]:
    """Return what the manifests give a container, with values of this machine."""
    values = dict.fromkeys(variables(one(kind)), "http://127.0.0.1:9/v1")
    needed = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    return {**needed, **values, "DATABASE_URL": url}


def migrated(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command of the migration, in its place in the container."""
    python, script = container(one("Job"))["command"]
    assert (python, script) == ("python", "/migration/migrate.py")
    return subprocess.run(
        [sys.executable, str(DEPLOY / Path(script).name)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_the_migration_makes_the_tables_once(url: str) -> None:
    """the first run makes LangGraph's tables, and a second one changes nothing"""
    given = environment(url, "Job")
    first = migrated(given)
    assert (first.returncode, first.stderr) == (0, "")
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    versions = "SELECT v FROM checkpoint_migrations ORDER BY v"
    with psycopg.connect(url) as connection:
        made = [row[0] for row in connection.execute(tables).fetchall()]
        before = connection.execute(versions).fetchall()
    assert {"checkpoints", "checkpoint_blobs", "checkpoint_writes"} <= set(made)
    second = migrated(given)
    assert (second.returncode, second.stdout) == (0, first.stdout)
    assert first.stdout == f"the tables are at version {before[-1][0]}\n"
    with psycopg.connect(url) as connection:
        assert before == connection.execute(versions).fetchall()


def test_a_migration_that_cannot_run_says_why(url: str) -> None:
    """without a database it ends with a status and a sentence, and no password"""
    given = environment(url, "Job")
    without = migrated({k: v for k, v in given.items() if k != "DATABASE_URL"})
    assert without.returncode == 2
    assert without.stderr.startswith("expected DATABASE_URL")
    nowhere = "postgresql://chat:geheim@127.0.0.1:9/chat?connect_timeout=2"
    refused = migrated({**given, "DATABASE_URL": nowhere})
    assert refused.returncode == 1
    assert refused.stderr.startswith("the tables could not be made: ")
    assert "geheim" not in refused.stderr


def test_the_manifests_give_what_the_application_reads() -> None:
    """each variable without which the application does not start is in the manifests"""
    read = set(READ.findall(APP.read_text(encoding="utf-8")))
    assert "DATABASE_URL" in read
    assert read <= set(variables(one("Deployment")))


@contextmanager
def served(folder: Path, given: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Run the container's command at a free port; yield the address and the process."""
    command = next(each.values for each in instructions() if each.name == "CMD")
    command[command.index("--host") + 1] = "127.0.0.1"
    command[command.index("--port") + 1] = "0"
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=given,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        log = ""
        while not (found := RUNNING.search(log)):
            line = process.stderr.readline()
            assert line, log
            log += line
        yield found[1], process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_command_of_the_container(url: str, tmp_path: Path) -> None:
    """after the migration it starts, is healthy, and ends in order when told to"""
    unpack(APP, tmp_path / "app")
    assert migrated(environment(url, "Job")).returncode == 0
    path = container(one("Deployment"))["readinessProbe"]["httpGet"]["path"]
    given = environment(url, "Deployment")
    with served(tmp_path / "app", given) as (address, process):
        with urllib.request.urlopen(f"{address}{path}", timeout=LIMIT_S) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=LIMIT_S)
    assert "Application shutdown complete." in log
    assert "ERROR" not in log
