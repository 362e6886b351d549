"""The ledger of one scenario: who pays, when, what goes wrong, and what was seen."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from grader.fakes.ledger import Decision, Desk, Ledger, cents
from grader.harness.journal import Recorder
from grader.harness.limits import LABEL_LIMIT
from grader.harness.slow import SlowDatabase
from grader.harness.world import World
from grader.vocabulary.outside import CHARGE

SILENT = -1  # the status of an answer that never comes


class Till:
    """Decides every charge of a scenario, and writes it down when it is made."""

    def __init__(
        self, recorder: Recorder, seed: int, world: World, slow: SlowDatabase
    ) -> None:
        name = recorder.scenario.name
        self.slow = slow
        self.ledger = Ledger(random.Random(f"{seed}/{name}/ledger"))
        self._recorder, self._world = recorder, world

    def desk(self, process: int) -> Desk:
        """Return where one process pays."""
        return Desk(self.ledger, partial(self._charge, process))

    async def _charge(
        self, process: int, key: str, body: Mapping[str, Any]
    ) -> Decision:
        await self._world.gathered(process, CHARGE)
        decided = self.ledger.enter(key, body)
        if decided is not None:
            self._record(process, key, body, decided)
            return decided
        try:
            await self._world.held(process, CHARGE)
            decided = self.ledger.charge(key, body)
        finally:
            self.ledger.leave(key)
        self._record(process, key, body, decided)
        await self._world.spring(process, CHARGE)
        await self.slow.after(CHARGE)
        if decided.status == SILENT:
            await asyncio.Event().wait()  # ends when the caller hangs up
        return decided

    def _record(
        self, process: int, key: str, body: Mapping[str, Any], decided: Decision
    ) -> None:
        self._recorder.record(
            "charge",
            process,
            event=CHARGE,
            key=key[:LABEL_LIMIT],
            order=str(body.get("order_id", ""))[:LABEL_LIMIT],
            amount=cents(body),
            charge_id=decided.charge_id,
            new=decided.new,
            status=decided.status,
        )
