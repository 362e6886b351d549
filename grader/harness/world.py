"""The outside world of one scenario: what the model says, holds and triggers."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader.fakes.answers import Answer
from grader.fakes.persona import Script
from grader.fakes.provider import ask_provider
from grader.harness.journal import Recorder
from grader.harness.limits import (
    HOLD_LIMIT_S,
    LABEL_LIMIT,
    STORED_LIMIT_S,
    TEXT_LIMIT,
)
from grader.harness.order import Provider
from grader.harness.patience import OutOfPatience, until, within
from grader.harness.stores import Store
from grader.harness.turns import POLLED_S, Rest, Turn
from grader.vocabulary.scenario import Answers, KillWhen

MESSAGES_KEPT = 100
STILL_LOOKS = 50  # so often nothing has moved before nobody else will come
MESSAGE_BEGINS, MESSAGE_ENDS = 1000, 3000  # characters of a message that are kept


class Gathering:
    """Requests of one event that wait until all expected calls are in."""

    def __init__(self, event: str, expected: int, answered: Sequence[int]) -> None:
        self.event, self.expected, self.answered = event, expected, answered
        self.inside, self.returned = 0, 0
        self.open, self.looking = asyncio.Event(), asyncio.Lock()
        # What the next call, and the next answer, wait for when they have an order.
        self.entered = [asyncio.Event() for _ in range(expected)]
        self.back = [asyncio.Event() for _ in range(expected)]

    def settle(self) -> None:
        """Open the gate once no further call can come in."""
        if self.inside + self.returned >= self.expected:
            self.open.set()
        for event in self.entered[: self.inside + self.returned]:
            event.set()
        for event in self.back[: self.returned]:
            event.set()

    async def turn(self, place: int) -> None:
        """Wait until the request that came in at `place`, from 1, may be answered."""
        if place - 1 in self.answered:
            before = self.answered[: self.answered.index(place - 1)]
            # Who has not come in while all waited does not come before them.
            ahead = [call for call in before if call < self.inside]
            if ahead:
                await self.back[len(ahead) - 1].wait()


class World:
    """Answers every model request of a scenario, and pulls the trigger of faults."""

    def __init__(self, recorder: Recorder, seed: int, store: Store) -> None:
        rng = random.Random(f"{seed}/{recorder.scenario.name}/model")
        self.script = Script(recorder.drawn, rng)
        self.kill: Callable[[int], None] = lambda _: None
        self.pids: Callable[[], Collection[int]] = tuple
        self.between: Callable[[], Collection[int]] = tuple
        self.connections: Callable[[], Mapping[str, Any]] = dict
        self._recorder, self._store = recorder, store
        self._traps: dict[tuple[int, str], list[KillWhen]] = {}
        self._holds: dict[str, asyncio.Event] = {}
        self._gathering: Gathering | None = None
        self._turn: Turn | None = None
        self._references: dict[str, str] = {}
        self._requests = 0
        self.provider: Provider | None = None

    def arm(self, trap: KillWhen) -> None:
        """Kill a process when its n-th request for an event comes in."""
        self._traps[trap.process, trap.event] = [trap] * trap.nth

    def hold(self, event: str) -> None:
        """Let requests of this event wait."""
        self._holds[event] = asyncio.Event()

    def release(self, event: str) -> None:
        """Let the requests that wait at this event go on."""
        if event in self._holds:
            self._holds.pop(event).set()

    def gather(self, event: str, expected: int, answered: Sequence[int]) -> Gathering:
        """Hold the next requests of `event` until `expected` calls are in."""
        self._gathering = Gathering(event, expected, answered)
        return self._gathering

    def order(self, step: Answers) -> None:
        """Answer one event before another, from now on."""
        self._turn = Turn(step, self.pids)

    async def asked(self, process: int, request: Mapping[str, Any]) -> Answer:
        """Answer one request of one process, when its time has come."""
        messages = [m for m in request.get("messages", []) if isinstance(m, Mapping)]
        event = self.script.event_of(messages)
        self._requests += 1
        number = self._requests
        texts = [_text(message) for message in messages]
        self._recorder.record(
            "model",
            process,
            event=event,
            request=number,
            prompt=texts[-1][1] if texts else "",
            messages=[{"role": r, "text": t} for r, t in texts[-MESSAGES_KEPT:]],
        )
        if self._turn:
            self._turn.asked(event)
        await self.spring(process, event)
        await self.held(process, event)
        await self.gathered(process, event)
        answer = await self._answer(event, request)
        self._references[event] = answer.reference
        self._recorder.record(
            "answer",
            process,
            event=event,
            request=number,
            text=answer.text[:TEXT_LIMIT],
            status=answer.status,
        )
        if self._turn:
            self._turn.answered(event)
        return answer

    async def _answer(self, event: str, request: Mapping[str, Any]) -> Answer:
        if self.provider is None:
            return self.script.answer(request)
        at = self.provider
        return replace(
            await ask_provider(at.url, at.key, request, at.name), event=event
        )

    async def spring(self, process: int, event: str) -> None:
        """Kill a process if this request was what its trap waits for."""
        traps = self._traps.get((process, event), [])
        trap = traps.pop() if traps else None
        if trap is None or traps:
            return
        stored = None
        if trap.once_stored is not None:
            reference = self._references.get(trap.once_stored, "")
            stored = bool(reference) and await until(
                lambda: self._store.holds(reference), STORED_LIMIT_S
            )
        if trap.at_rest:
            await until(Rest(self.pids()).look, STORED_LIMIT_S, self.pids())
        self._recorder.record(
            "fault", trap.process, what="killed", event=trap.event, stored=stored
        )
        self.kill(trap.process)
        await asyncio.Event().wait()  # ends when the killed process's connection does

    async def held(self, process: int, event: str) -> None:
        """Wait while requests of this event are held."""
        if event in self._holds:
            self._recorder.record("held", process, event=event)
            await self._holds[event].wait()
        if self._turn and self._turn.second == event:
            self._recorder.record("held", process, event=event)
            await self._turn.wait()

    async def gathered(self, process: int, event: str) -> None:
        """Wait until all calls that are made together are in."""
        gathering = self._gathering
        if gathering and gathering.event == event and not gathering.open.is_set():
            self._recorder.record("held", process, event=event)
            await self._gathered(gathering)

    async def _gathered(self, gathering: Gathering) -> None:
        gathering.inside += 1
        place = gathering.inside
        gathering.settle()
        # A program that lets in one after the other has limits of its own, which no
        # crowded machine stretches: once nothing moves, nobody else will come.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(gathering.open.wait(), HOLD_LIMIT_S)
        async with gathering.looking:  # one of them looks for all
            if not gathering.open.is_set():
                rest = Rest(self.pids(), STILL_LOOKS, self.between(), POLLED_S)
                await until(
                    lambda: gathering.open.is_set() or rest.look(),
                    HOLD_LIMIT_S,
                    self.pids(),
                )
                gathering.open.set()
        if self._gathering is gathering:
            self._gathering = None
            self._recorder.record(
                "released",
                event=gathering.event,
                inside=gathering.inside,
                expected=gathering.expected,
                **self.connections(),
            )
        with contextlib.suppress(OutOfPatience):
            await within(gathering.turn(place), HOLD_LIMIT_S, self.pids())


def _text(message: Mapping[str, Any]) -> tuple[str, str]:
    content = message.get("content")
    if isinstance(content, list):  # parts, of which only text is kept
        parts = [part.get("text", "") for part in content if isinstance(part, Mapping)]
        content = " ".join(str(part) for part in parts)
    text = str(content or "")
    if len(text) > MESSAGE_BEGINS + MESSAGE_ENDS:
        text = f"{text[:MESSAGE_BEGINS]} … {text[-MESSAGE_ENDS:]}"
    return str(message.get("role", ""))[:LABEL_LIMIT], text
