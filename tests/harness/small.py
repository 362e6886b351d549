"""Small exercises, submissions and one warm harness for the tests of this folder."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from grader import runner
from grader.harness.harness import Harness
from grader.harness.launch import Job, Launched, Launcher
from grader.harness.order import Order
from grader.vocabulary import Exercise, History, Run, Verdict, process
from grader.vocabulary.scenario import Step

T = TypeVar("T")
LIGHT = ("json", "grader.harness.worker")  # enough for a submission without LangGraph
CONTRACT = ("chat(thread_id, text) -> str",)

# Asks the model with the standard library only, so that a test needs no warm-up.
ASKS = """
import json, os, urllib.request

def ask(text):
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + "/chat/completions",
        json.dumps(body).encode(),
        {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"],
         "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)["choices"][0]["message"]["content"]

def chat(thread_id, text):
    return ask(text)
"""


def exercise(*steps: Step, contract: Iterable[str] = CONTRACT) -> Exercise:
    """Return an exercise of one scenario and one check: every call returns."""
    made = Exercise("A small one", tuple(contract), ("Read the report.",))
    chats = (
        process(0).calls("chat", "{thread}", "My name is {name}."),
        process(1).calls("chat", "{thread}", "What is my name?"),
    )
    made.scenario("only", "two processes are asked", *(steps or chats))

    @made.check(points=1)
    def answers(only: Run) -> None:
        """every call gets an answer"""
        for reply in only.replies:
            assert reply.value is not None

    return made


def source(text: str) -> str:
    """Return a submission's text as the notebook sends it: line 1 is the magic."""
    return "\n" + textwrap.dedent(text).lstrip("\n")


class Warm:
    """One harness and the loop it lives in; steps of a test run in that loop."""

    def __init__(self, launcher: Launcher, preload: Iterable[str], folder: Path):
        self.folder = folder
        self.harness = Harness(launcher, tuple(preload), str(folder))
        self.runner = asyncio.Runner()
        self.run(self.harness.__aenter__())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the harness's loop."""
        return self.runner.run(coroutine)

    def close(self) -> None:
        """End the harness and its loop."""
        self.run(self.harness.__aexit__(None, None, None))
        self.runner.close()

    async def run_one_worker(self) -> Launched:
        """Start a worker outside of any run, which waits for ever."""
        home = str(self.harness.folder)
        hangs = "import threading\nthreading.Event().wait()\n"
        (self.harness.folder / "submission.py").write_text(hangs)
        job = Job(home, home, home, f"{home}/log", functions=(), environment={})
        return await self.harness.launcher.start(job)

    def order(
        self, text: str, made: Exercise, seed: int = 4711, processes: int = 0
    ) -> Order:
        """Return the order to run a submission."""
        return Order("ex99_small", made, source(text), seed, processes)

    def history(self, text: str, *steps: Step, **options: Any) -> Run:
        """Run one scenario of these steps; return what happened in it."""
        order = self.order(text, exercise(*steps), **options)
        return self.run(self.harness.run(order)).runs["only"]

    def outcome(self, text: str, made: Exercise, **options: Any) -> runner.Outcome:
        """Run a submission; return its verdict and history."""
        return self.run(
            runner.check(self.harness, "ex99_small", made, source(text), **options)
        )

    def verdict(self, text: str, *steps: Step, **options: Any) -> Verdict:
        """Judge a submission by the one check of `exercise`."""
        return self.outcome(text, exercise(*steps), **options).verdict

    def histories(self, text: str, made: Exercise, **options: Any) -> History:
        """Run every scenario of an exercise."""
        return self.run(self.harness.run(self.order(text, made, **options)))
