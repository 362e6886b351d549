"""Observing with a real provider, for which a second model server stands here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.client import Client
from grader.vocabulary.history import parse
from tests.fakes.model_bench import KEY, Bench

STEM = "ex04_memory_saver"
RIGHT = Path(__file__).parent / "submissions" / STEM / "right" / "sqlite_saver.py"


@pytest.fixture
def provider() -> Iterator[Bench]:
    """Serve what stands for the provider."""
    bench = Bench()
    try:
        yield bench
        bench.close()
    finally:
        bench.loop.call_soon_threadsafe(bench.loop.stop)
        bench.thread.join()
        bench.loop.close()


@pytest.fixture
def client() -> Iterator[Client]:
    """Return the kernel's end of a service."""
    made = Client()
    yield made
    made.close()


def test_a_provider_answers_what_is_observed(provider: Bench, client: Client) -> None:
    """with a provider configured, observe shows its answers, by the name it was given,
    and its key never reaches the submission's processes"""
    given = {"url": provider.url, "key": KEY, "name": "some-model"}
    answer = client.ask(
        "observe",
        stem=STEM,
        text=RIGHT.read_text(encoding="utf-8"),
        scenarios=["hand_over"],
        seed=3,
        provider=given,
    )
    run = parse("\n".join(answer["history"]) + "\n").runs["hand_over"]
    assert {"some-model"} == {body["model"] for body in provider.bodies}
    assert len(provider.bodies) == len(run.of("answer")) == 4
    assert run.drawn.name in run.replies[1].value
    assert [s.data["event"] for s in run.of("model")] == ["draft", "polish"] * 2
    assert KEY not in "\n".join(answer["history"])


def test_checks_never_ask_a_provider(
    provider: Bench, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a verdict is judged with the stand-in model, whatever is configured"""
    monkeypatch.setenv("GRADER_MODEL_URL", provider.url)
    monkeypatch.setenv("GRADER_MODEL_KEY", KEY)
    answer = client.ask(
        "check",
        stem=STEM,
        text=RIGHT.read_text(encoding="utf-8"),
        seed=3,
        processes=0,
    )
    assert answer["verdict"]["score"] == 10
    assert provider.bodies == []
