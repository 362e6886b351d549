"""A process that is restarted ends in order, and starts with new memory."""

from __future__ import annotations

from grader.vocabulary import (
    process,
)
from grader.vocabulary import restart_all as restart
from tests.harness.drafts import COUNTS, errors
from tests.harness.small import Warm


def test_restarts(light: Warm) -> None:
    """a restarted process ends in order: OS threads are awaited, exit functions run"""
    text = """
    import atexit, os, threading
    there = os.path.dirname(os.environ["CHECKPOINT_DB"])
    asked = threading.Event()

    def note(what):
        with open(there + "/notes", "a") as file:
            file.write(what + " ")

    def wait():
        main = threading.main_thread()
        main.join()
        note("thread")

    def chat(thread_id, text):
        if text == "read":
            return open(there + "/notes").read()
        atexit.register(note, "exit")
        threading.Thread(target=wait).start()
        return "set"
    """
    run = light.history(
        text,
        process(0).calls("chat", "{thread}", "set"),
        process(0).restarts(),
        process(0).calls("chat", "{thread}", "read"),
    )
    assert [reply.value for reply in run.replies] == ["set", "thread exit "]
    assert [s.data["restarted"] for s in run.of("start")] == [False, True]


def test_restart_of_all(light: Warm) -> None:
    """all processes have stopped before any of them starts again, and memory is new"""
    run = light.history(
        COUNTS,
        *[process(n).calls("chat", "{thread}", "a") for n in (0, 1)],
        restart(),
        *[process(n).calls("chat", "{thread}", "a") for n in (0, 1)],
    )
    assert [reply.value for reply in run.replies] == ["a 1"] * 4
    told = [s.number for s in run.of("fault")]
    again = [s.number for s in run.of("start") if s.data["restarted"]]
    assert max(told) < min(again)


def test_restart_of_all_that_run(light: Warm) -> None:
    """also those that no step names: a submission that was never alone is alone then"""
    chats = process(0).calls("chat", "{thread}", "a")
    run = light.history(COUNTS, chats, restart(), chats, processes=4)
    assert [reply.value for reply in run.replies] == ["a 1"] * 2
    told = [s.number for s in run.of("fault")]
    again = [s for s in run.of("start") if s.data["restarted"]]
    assert {s.process for s in again} == {0, 1, 2, 3}
    assert len(told) == 4
    assert max(told) < min(s.number for s in again)


def test_restart_that_hangs(light: Warm) -> None:
    """a process that does not stop when asked is killed, and that is written down"""
    text = """
    import threading
    def chat(thread_id, text):
        threading.Thread(target=threading.Event().wait).start()
        return "a"
    """
    calls = process(0).calls("chat", "{thread}", "a")
    run = light.history(text, calls, process(0).restarts(), calls)
    assert errors(run) == [None, None]
    assert [seen.data["what"] for seen in run.of("limit")] == ["stop"]
