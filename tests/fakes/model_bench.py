"""A model server for tests: in an OS thread, scripted, and watched."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import httpx
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from grader.fakes.answers import Answer
from grader.fakes.model_server import ModelServer
from grader.fakes.persona import Script
from grader.vocabulary import Drawn

LIMIT_S = 20.0  # turns a hang into a failure
KEY = "sk-test"
HELLO = {"messages": [{"role": "user", "content": "Hi"}]}
T = TypeVar("T")


@tool
def weather(city: str) -> str:
    """Say what the weather is like in a city."""
    return f"sunny in {city}"


class Bench:
    """A model server in an OS thread with a loop of its own, and its script."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.noise: list[Any] = []
        self.loop.set_exception_handler(lambda _, problem: self.noise.append(problem))
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.server = ModelServer()
        self.script = Script(Drawn(), random.Random(1))
        self.bodies: list[Mapping[str, Any]] = []
        self.arrived = threading.Event()
        self.cancelled = threading.Event()
        self.released = asyncio.Event()
        self.run(self.server.__aenter__())
        self.url = self.admit(self.answers)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(LIMIT_S)

    def admit(self, asked: Callable[[Mapping[str, Any]], Any]) -> str:
        async def admit() -> str:
            return self.server.admit(KEY, asked)

        return self.run(admit())

    async def answers(self, body: Mapping[str, Any]) -> Answer:
        self.bodies.append(body)
        return self.script.answer(body)

    async def holds(self, body: Mapping[str, Any]) -> Answer:
        self.arrived.set()
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Answer("held", text="released")

    def model(self, **more: Any) -> ChatOpenAI:
        given = {"base_url": self.url, "api_key": KEY, "max_retries": 0, **more}
        return ChatOpenAI(model="gpt-4o-mini", timeout=LIMIT_S, **given)

    def post(self, **more: Any) -> httpx.Response:
        given = {"headers": {"authorization": f"Bearer {KEY}"}, "timeout": LIMIT_S}
        url = more.pop("url", self.url) + "/chat/completions"
        return httpx.post(url, **{**given, **more})

    def others(self) -> list[str]:
        async def others() -> list[str]:
            mine = asyncio.current_task()
            return [str(task) for task in asyncio.all_tasks() if task is not mine]

        return self.run(others())

    def close(self) -> None:
        self.run(self.server.__aexit__(None, None, None))
