"""The game day in its long form: many conversations, a kill each so many answers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader import corpus
from grader.harness.harness import Harness
from grader.harness.launchers import best_launcher
from grader.harness.order import Order
from grader.vocabulary import CheckFailed, Exercise, Observation, Run, model
from grader.vocabulary.charging import charged
from grader.vocabulary.exercise import POSTGRES
from grader.vocabulary.outside import Traffic

STEM = "ex10_on_call"
SERVERS = 4
CONVERSATIONS, TURNS = 50, 10
# After so many answers: about a second of events between two kills on two cores.
EVERY: Mapping[str, int] = {"kill": 25, "drop": 120, "fail": 40}
TOLD, ASKED = "My lucky word is {{word_{}}}.", "What is my lucky word? Turn {}."
AMOUNT = "{number}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What it came to; `problems` is empty where nothing was lost or doubled."""

    requests: int
    attempts: int
    errors: Mapping[str, int]
    recovered: int
    faults: Mapping[str, int]
    orders: int
    problems: tuple[str, ...]
    duration_s: float

    def __str__(self) -> str:
        errors = ", ".join(f"{n} × {name}" for name, n in sorted(self.errors.items()))
        faults = ", ".join(f"{n} × {name}" for name, n in sorted(self.faults.items()))
        lines = [
            f"{self.requests} requests in {self.attempts} attempts, "
            f"{self.duration_s:.0f} s",
            f"faults: {faults or 'none'}",
            f"errors: {errors or 'none'}",
            f"recoveries: {self.recovered} requests were answered when they were sent "
            "again",
            f"{self.orders} orders, each charged once"
            if not self.problems
            else f"{len(self.problems)} problems:",
            *self.problems[:20],
        ]
        return "\n".join(lines)


def exercise(
    conversations: int = CONVERSATIONS,
    turns: int = TURNS,
    every: Mapping[str, int] = EVERY,
) -> Exercise:
    """Return an exercise of one scenario, which is many conversations at once.

    A conversation tells a word first, and then orders and asks in turn.
    """
    api = ("api: ASGI application",)
    made = Exercise("A long game day", api, (), (), POSTGRES, balanced=True)
    talks = tuple(tuple(_requests(n, turns)) for n in range(conversations))
    made.scenario(
        "traffic",
        f"{conversations} conversations of {turns} turns go to {SERVERS} servers",
        model.says("reply", "[reply]", "settled: {answer} (ref {ref})"),
        Traffic("/chat", talks, SERVERS, every, "reply"),
    )
    return made


async def run(
    harness: Harness, text: str, busy: Exercise, seed: int, keep: Path | None = None
) -> Outcome:
    """Run a submission through the traffic."""
    began = time.monotonic()
    order = Order(STEM, busy, text, seed)
    history = await harness.run(order, ["traffic"], keep)
    return judged(history.runs["traffic"], time.monotonic() - began)


def soak(root: Path, seed: int) -> bool:
    """Run a right submission through the whole day, and print what it came to.

    Return whether nothing was lost and nothing doubled.
    """
    chosen = next(s for s in corpus.specimens(root, STEM) if s.path.stem == "solution")

    async def whole() -> Outcome:
        async with Harness(best_launcher()) as harness:
            return await run(harness, chosen.text, exercise(), seed)

    outcome = asyncio.run(whole())
    print(f"{STEM} {chosen.name}, long form (seed {seed})\n{outcome}")
    return not outcome.problems


def judged(run: Run, duration_s: float) -> Outcome:
    """Return what it came to, from what the trusted side has seen."""
    sent = {seen.data["id"]: seen.data["args"][0] for seen in run.of("call")}
    attempts: dict[str, list[Observation]] = {}
    for reply in run.replies:
        body = sent.get(reply.data["id"])
        if body is not None:
            attempts.setdefault(str(sorted(body.items())), []).append(reply)
    errors = [str(r.data["error"]) for r in run.replies if not r.ok]
    first_failed = [a for a in attempts.values() if not a[0].ok]
    faults = Counter(str(seen.data["what"]) for seen in run.of("fault"))
    failing = sum(seen.data["status"] != 200 for seen in run.of("answer"))
    orders = [name for name in run.drawn.values if name.startswith("order")]
    return Outcome(
        requests=len(attempts),
        attempts=len(run.replies),
        errors=Counter(errors),
        recovered=sum(any(reply.ok for reply in a) for a in first_failed),
        faults={**faults, **({"the model failed": failing} if failing else {})},
        orders=len(orders),
        problems=tuple(_problems(run, attempts, orders)),
        duration_s=duration_s,
    )


def _problems(
    run: Run, attempts: Mapping[str, list[Observation]], orders: list[str]
) -> Iterator[str]:
    """Yield what was lost, mixed up or doubled."""
    if run.broken:
        yield f"the grader broke: {run.broken}"
    words = {run.drawn[f"user_{n}"]: run.drawn[f"word_{n}"] for n in _customers(run)}
    calls = {seen.data["id"]: seen.data["args"][0] for seen in run.of("call")}
    for tried in attempts.values():
        body, reply = calls[tried[-1].data["id"]], tried[-1]
        if not reply.ok:
            yield f"never answered: {reply}"
        elif reply.at("user_id") != body["user_id"]:
            yield f"another user's answer: {reply}"
        elif "What is" in body["text"] and words[body["user_id"]] not in str(
            reply.at("answer")
        ):
            yield f"lost what it was told: {reply}"
    for name in orders:
        try:
            charged(run, run.drawn[name], run.drawn.number)
        except CheckFailed as failure:
            yield f"{run.drawn[name]}: {failure.rationale}"


def _customers(run: Run) -> list[str]:
    return [name[5:] for name in run.drawn.values if name.startswith("user_")]


def _requests(customer: int, turns: int) -> Iterator[dict[str, Any]]:
    of = {"thread_id": f"{{thread_{customer}}}", "user_id": f"{{user_{customer}}}"}
    yield {**of, "text": TOLD.format(customer)}
    for turn in range(1, turns):
        if turn % 2 == 0 or turn == turns - 1:
            yield {**of, "text": ASKED.format(turn)}
        else:
            order = f"{{order_{customer}x{turn}}}"
            bought = {"order_id": order, "amount": AMOUNT}
            yield {**of, "text": f"I take {order}.", **bought}
