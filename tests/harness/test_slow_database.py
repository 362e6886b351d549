"""A slow database takes no write from who goes on without waiting for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from grader.harness import tiers
from grader.sandbox import holding
from grader.vocabulary import database, together
from tests.harness.paying import PAYS, pays
from tests.harness.small import Warm

STORES = (
    PAYS.replace("def chat", "def pay")
    + """
import signal, sqlite3, threading

def rows(statement=""):
    with sqlite3.connect(os.environ["CHECKPOINT_DB"], timeout=20) as base:
        base.execute("CREATE TABLE IF NOT EXISTS paid (id)")
        if statement:
            base.execute(statement)
        return base.execute("SELECT count(*) FROM paid").fetchone()[0]

def written(name, more=""):
    path = os.path.join(os.path.dirname(os.environ["CHECKPOINT_DB"]), name)
    text = open(path).read() if os.path.exists(path) else ""
    if more:
        with open(path, "w") as file:
            file.write(text + more)
    return str(len(text))

def store():
    rows("INSERT INTO paid VALUES (1)")

def chat(thread_id, text):
    if text == "look":
        return str(rows())
    if text == "file":
        return written("last.txt", "x")
    if text == "reads":
        before = rows()
        store()
        return str(before)
    rows()
    pay(thread_id, "k")
    if text == "waits":
        store()
        return "stored"
    storing = threading.Thread(target=store)
    storing.start()
    for _ in range(1_500_000):  # is busy, where a quick database has stored it soon
        if not storing.is_alive():
            break
    os.kill(os.getpid(), signal.SIGKILL)
"""
)


@pytest.mark.parametrize(("text", "rows"), [("waits", "1"), ("goes on", "0")])
def test_slow_database(light: Warm, text: str, rows: str) -> None:
    """after a charge the database takes no write from who goes on, and one from who
    waits for it"""
    slow = database.is_slow_after("charge")
    run = light.history(STORES, slow, pays(0, text), pays(1, "look"))
    assert run.replies[1].value == rows


def test_a_slow_database_is_read_by_all_before_one_of_them_writes(light: Warm) -> None:
    """two processes at once that read and then write have read the same"""
    reading = [pays(number, "reads") for number in (0, 1)]
    steps = pays(0, "look"), database.is_slow(), together(*reading), pays(0, "look")
    run = light.history(STORES, *steps)
    assert [reply.value for reply in run.replies] == ["0", "0", "0", "2"]


def test_in_a_sandbox(warm: Warm) -> None:
    """walls, where there are some, do not keep our own process from holding it"""
    steps = pays(0, "look"), database.is_slow(), together(pays(0, "reads"))
    both = together(pays(0, "reads"), pays(1, "reads"))
    run = warm.history(STORES, *steps, pays(1, "look"), database.is_slow(), both)
    assert [reply.value for reply in run.replies] == ["0", "0", "1", "1", "1"]


def test_who_holds_it_is_walled_in(
    warm: Warm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """what opens a submission's files can do no more than a submission"""
    if warm.harness.tier == tiers.NOT_ISOLATED:
        pytest.skip("needs Linux 6.12 with Landlock")
    reached = tmp_path / "reached"
    text = f"def hold(*args): open({str(reached)!r}, 'w')"
    (tmp_path / "holding.py").write_text(text)
    monkeypatch.setattr(holding, "__file__", str(tmp_path / "holding.py"))
    tmp_path.chmod(0o777)
    run = warm.history(STORES, database.is_slow(), pays(0, "look"))
    assert [reply.value for reply in run.replies] == ["0"]
    assert not reached.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has leases")
def test_a_file_beside_it_is_read_by_all_before_one_of_them_writes(light: Warm) -> None:
    """and after that it is as quick as before"""
    at_once = together(pays(0, "file"), pays(1, "file"))
    steps = pays(0, "file"), database.is_slow(), at_once, pays(1, "file")
    run = light.history(STORES, *steps)
    assert [reply.value for reply in run.replies] == ["0", "1", "1", "2"]


SPOILS = """
import os

def chat(thread_id, text):
    path = os.environ["CHECKPOINT_DB"]
    if os.path.isfile(path):
        os.unlink(path)
    if text == "link":
        os.symlink("/tmp/elsewhere-" + thread_id, path)
    elif text == "folder":
        os.mkdir(path)
    elif text == "text":
        with open(path, "w") as file:
            file.write("1")
    return "done"
"""


@pytest.mark.parametrize("what", ["link", "folder", "text"])
def test_what_is_no_database_cannot_be_slow(light: Warm, what: str) -> None:
    """whatever a submission puts there, nothing of ours breaks, or follows a link"""
    run = light.history(SPOILS, pays(0, what), database.is_slow(), pays(0, "on"))
    assert [reply.value for reply in run.replies] == ["done", "done"]
    assert not run.broken
    linked = Path("/tmp/elsewhere-" + run.call(run.replies[0]).data["args"][0])
    assert not linked.exists()
