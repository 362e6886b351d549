"""Output, processes, memory and waiting without end have a limit that is named."""

from __future__ import annotations

import time

import pytest

from grader.harness import limits, tree
from grader.vocabulary import process
from tests.harness.reported import RETURNS, Case, report
from tests.harness.small import Warm


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_finite_flood(light: Warm, stream: str) -> None:
    """a flood that ends costs nothing; its end is kept, and that it was one is said"""
    seen = light.history(
        f"import sys\nfor n in range(1000): print('f' * 2000, n, file=sys.{stream})\n"
        + RETURNS
    )
    assert [reply.value for reply in seen.replies] == ["a", "a"]
    assert seen.of("output")[0].data["cut"]
    assert "999" in seen.of("output")[0].data["text"]
    assert "output" in [limit.data["what"] for limit in seen.of("limit")]


def test_fork_bomb(light: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """a fork bomb is ended before it is large, and its report says what it was"""
    monkeypatch.setattr(tree, "TREE_PROCESSES_LIMIT", 10)
    monkeypatch.setattr(tree, "WATCH_PERIOD_S", 0.02)
    bomb = """
    import os, threading
    def chat(thread_id, text):
        for _ in range(5):  # 32 processes in all, where nothing stops it
            os.fork()
        threading.Event().wait()
    """
    began = time.monotonic()
    verdict = light.verdict(bomb)
    says = "the submission passed a limit: processes (12 processes), found "
    report(verdict, Case("", says, "what starts processes"), began)
    assert light.verdict(RETURNS).passed  # and the next submission runs


def test_memory_of_all(light: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """what all processes of a run keep in memory has a limit together"""
    monkeypatch.setattr(tree, "TREE_MEMORY_LIMIT_B", 300 * limits.MIB)
    hog = """
    import threading
    def chat(thread_id, text):
        kept = b"x" * (400 << 20)
        threading.Event().wait()
    """
    began = time.monotonic()
    says = "the submission passed a limit: memory (300 MiB), found "
    report(light.verdict(hog), Case("", says), began)


def test_two_hangs(light: Warm) -> None:
    """after the first hang of a scenario there is little patience left for others"""
    hangs = "import threading\ndef chat(thread_id, text):\n    threading.Event().wait()"
    calls = [process(n).calls("chat", "{thread}", "a") for n in range(3)]
    seen = light.history(hangs, *calls)
    limit = f"{limits.HURRIED_LIMIT_S:g} s passed"
    assert ["4 s passed", limit, limit] == [r.data["message"] for r in seen.replies]
