"""What a crowd leaves behind, where each request has a loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from grader.fakes.answers import Answer
from tests.drift.small_graphs import raised
from tests.fakes.model_bench import Bench

fact = pytest.mark.fact
CROWD = 4


@fact("ex03.a_crowd_opens_its_connections")
def test_a_crowd_opens_its_connections(models: Bench) -> None:
    """a first crowd is answered in full, each over a connection of its own; once its
    loop has ended, as many requests raise RuntimeError: Event loop is closed"""
    bodies: list[Mapping[str, Any]] = []
    all_in = asyncio.Event()

    async def says(body: Mapping[str, Any]) -> Answer:
        bodies.append(body)
        if len(bodies) == CROWD:
            all_in.set()
        await all_in.wait()
        return Answer("a", text="ok")

    model = models.model(base_url=models.admit(says))

    async def crowd() -> list[Any]:
        return await asyncio.gather(*(model.ainvoke("Hi") for _ in range(CROWD)))

    async def one() -> str:
        return str((await model.ainvoke("Hi")).text)

    assert [reply.text for reply in asyncio.run(crowd())] == ["ok"] * CROWD
    found = [raised(lambda: asyncio.run(one())) for _ in range(CROWD + 1)]
    closed = ["RuntimeError: Event loop is closed"] * CROWD
    assert found == [*closed, "raised nothing, returned 'ok'"]
