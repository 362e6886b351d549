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


def test_ended_by_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """who ends a service that another OS thread is ending has nothing to do, and who
    asks it then is told that it has ended"""
    from grader import client as module

    client, asked = module.Client(), []
    client.warm_up()
    process = client._process
    assert process is not None
    wait = process.wait

    def meanwhile(timeout: float | None = None) -> int:
        if not asked:
            client.close()
            with pytest.raises(module.ServiceGone, match="has ended"):
                client._send({})
            with pytest.raises(module.ServiceGone, match="has ended"):
                client._receive(1)
            asked.append(True)
        return wait(timeout)

    monkeypatch.setattr(process, "wait", meanwhile)
    client.close()
    assert asked
    assert process.poll() is not None
    assert client.pid is None


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
