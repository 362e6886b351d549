"""A service that dies under a notebook leaves an error, and no traceback."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader import catalog
from grader.vocabulary import Status
from tests.harness.living import Signal, survivors

ANSWERS = "def chat(thread_id, text):\n    return 'a'\n"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A notebook's session, with a service of its own."""
    from grader import session as module
    from grader.client import Client
    from grader.store import Store

    client = Client()
    monkeypatch.setattr(module, "client", client)
    stem = "ex04_memory_saver"
    yield module.Session(stem, catalog.load(stem), Store(stem, tmp_path))
    client.close()


def test_service_dies(
    session: Any, said: Signal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a service that dies during a check leaves errors, and the next check is judged"""
    from concurrent.futures import ThreadPoolExecutor

    from grader import session as module

    # A named pipe of the test's own is out of reach in a sandbox.
    monkeypatch.setenv("GRADER_TIER", "3")
    session.text = said.hangs()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(session.verdict, None, 0)
        found = said.wait(2)
        assert module.client.pid is not None
        os.kill(module.client.pid, signal.SIGKILL)
        verdict, history = asked.result()
    assert history is None
    assert {result.status for result in verdict.results} == {Status.error}
    assert "exit code -9" in verdict.results[0].rationale
    assert not survivors(found)
    session.text = "syntax error"
    verdict, _ = session.verdict(None, 0)
    assert "SyntaxError" in verdict.problem


def test_observe_without_a_service(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a service that dies while it observes leaves a sentence, and no traceback"""
    from grader import notebook
    from grader import session as module
    from grader.client import ServiceGone

    def gone(*_: Any, **__: Any) -> None:
        raise ServiceGone("the grader's process ended with exit code -9")

    monkeypatch.setattr(notebook.client, "ask", gone)
    monkeypatch.setattr(module, "_current", [session])
    session.store.remember({"predictions": {"?": "a"}})
    session.text = ANSWERS
    assert "exit code -9" in str(notebook.history())
