"""Processes are killed and the model fails at an event, never by the clock."""

from __future__ import annotations

import pytest

from grader.vocabulary import (
    Run,
    model,
    process,
)
from tests.harness.drafts import COUNTS, SAYS, errors
from tests.harness.small import ASKS, Warm

# Stores the answer to [draft] as a saver would, or does not.
STORES = (
    ASKS
    + """
import sqlite3

def chat(thread_id, text):
    drafted = ask("[draft] " + text)
    if text == "stores":
        with sqlite3.connect(os.environ["CHECKPOINT_DB"]) as database:
            database.execute("CREATE TABLE checkpoints (checkpoint BLOB)")
            database.execute("INSERT INTO checkpoints VALUES (?)", [drafted.encode()])
    return ask("[polish] " + drafted)
"""
)


def kinds(run: Run, *wanted: str) -> list[tuple[str, int | None]]:
    return [(s.kind, s.process) for s in run.observations if s.kind in wanted]


def test_is_killed(light: Warm) -> None:
    """a killed process is gone before the next step, and is not called any more"""
    run = light.history(
        "import os\ndef chat(thread_id, text):\n"
        "    if text == 'pid': return str(os.getpid())\n"
        "    try: os.kill(int(text), 0)\n"
        "    except ProcessLookupError: return 'gone'\n    return 'there'\n",
        process(0).calls("chat", "{thread}", "pid"),
        process(0).is_killed(),
        process(0).calls("chat", "{thread}", "pid"),
        process(1).calls("chat", "{thread}", "pid"),
    )
    assert errors(run) == [None, "not_run", None]
    (fault,) = run.of("fault")
    assert (fault.process, fault.data["what"]) == (0, "killed")
    assert kinds(run, "exit") == []  # it was killed: it did not end by itself


def test_is_dead_before_the_next_step(light: Warm) -> None:
    """the next step can already take what the killed process held"""
    text = """
    import fcntl, os
    file = open(os.environ["CHECKPOINT_DB"] + ".lock", "w")
    def chat(thread_id, text):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return "mine"
    """
    run = light.history(
        text,
        process(0).calls("chat", "{thread}", "a"),
        process(0).is_killed(),
        process(1).calls("chat", "{thread}", "a"),
        process(1).is_killed(),
        process(2).calls("chat", "{thread}", "a"),
    )
    assert errors(run) == [None, None, None]


REMEMBERS = """
import os, socket

PATH = os.path.join(os.path.dirname(os.environ["CHECKPOINT_DB"]), "d")

def serve(ready):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(PATH)
    listener.listen()
    os.close(ready)
    while True:
        listener.accept()[0].sendall(b"I am there")

def chat(thread_id, text):
    if text == "pid":
        return str(os.getpid())
    if text == "leave a daemon":
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                serve(writer)
            os._exit(0)
        os.wait()
        os.close(writer)
        os.read(reader, 1)
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(PATH)
        except ConnectionRefusedError:
            return "nobody is there"
        return asked.recv(99).decode()
"""


@pytest.mark.parametrize("kept", ["light", "warm"])
def test_nothing_remembers_for_the_dead(
    request: pytest.FixtureRequest, kept: str
) -> None:
    """a daemon that a killed process has left is gone before the next step, and the
    other processes are not"""
    run = request.getfixturevalue(kept).history(
        REMEMBERS,
        process(1).calls("chat", "{thread}", "pid"),
        process(0).calls("chat", "{thread}", "leave a daemon"),
        process(1).calls("chat", "{thread}", "who?"),
        process(0).is_killed(),
        process(1).calls("chat", "{thread}", "who?"),
        process(1).calls("chat", "{thread}", "pid"),
    )
    before, *said, after = (reply.value for reply in run.replies)
    assert said == ["I am there", "I am there", "nobody is there"]
    assert before == after


def test_is_killed_when(light: Warm) -> None:
    """a process is killed while its request for the event is open, unanswered"""
    run = light.history(
        STORES,
        *SAYS,
        process(0).is_killed_when("polish"),
        process(0).calls("chat", "{thread}", "a"),
        process(1).calls("chat", "{thread}", "a"),
    )
    assert errors(run) == ["killed", None]
    assert [seen.process for seen in run.of("model", "polish")] == [0, 1]
    assert [seen.process for seen in run.of("answer", "polish")] == [1]
    (fault,) = run.of("fault")
    assert (fault.data["event"], fault.data["stored"]) == ("polish", None)
    assert fault.number < run.replies[0].number < run.of("call")[1].number


@pytest.mark.parametrize(("text", "stored"), [("stores", True), ("forgets", False)])
def test_once_stored(light: Warm, text: str, stored: bool) -> None:
    """a kill waits until the step before it is stored, and not for ever"""
    run = light.history(
        STORES,
        *SAYS,
        process(0).is_killed_when("polish", once_stored="draft"),
        process(0).calls("chat", "{thread}", text),
    )
    assert errors(run) == ["killed"]
    assert [fault.data["stored"] for fault in run.of("fault")] == [stored]


def test_kill_that_never_comes(light: Warm) -> None:
    """a process that never asks for the event is not killed"""
    run = light.history(
        COUNTS,
        process(0).is_killed_when("polish"),
        process(0).calls("chat", "{thread}", "a"),
    )
    assert (errors(run), run.of("fault")) == ([None], [])


@pytest.mark.parametrize("status", [401, 429, 500, 0])
def test_fails(light: Warm, status: int) -> None:
    """the model fails as often as it is told to, and then answers again"""
    run = light.history(
        ASKS,
        *SAYS,
        model.fails("draft", status, times=2),
        *[process(0).calls("chat", "{thread}", "[draft]") for _ in range(3)],
    )
    dropped, refused = "RemoteDisconnected", "HTTPError"
    error = refused if status else dropped
    assert errors(run) == [error, error, None]
    statuses = [seen.data["status"] for seen in run.of("answer", "draft")]
    assert statuses == [status, status, 200]
