"""A profile service: an upstream whose answers nobody can guess, or keep for later."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

PLANS = ("free", "plus", "team")
POINTS = 10_000  # what an account holds is below this


@dataclass(frozen=True, slots=True)
class Answered:
    """What the service answers: status 0 for a connection closed without a word."""

    status: int
    body: Mapping[str, Any]


Fetch = Callable[[str], Awaitable[Answered]]  # about a user, when its time has come


class Profiles:
    """The profiles of all users; nothing in here waits.

    A profile changes all the time: each answer has points, and a reference in `read`,
    that no answer before it had.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failing: dict[str, int] = {}

    def set(self, user: str, status: int) -> None:
        """Answer about this user with this status from now on."""
        self._failing[user] = status

    def answer(self, user: str) -> Answered:
        """Answer one request."""
        status = self._failing.get(user, 200)
        if status != 200:
            text = "the profile service cannot read this profile now"
            return Answered(status, {"error": {"message": text}})
        points, read = self._rng.randrange(POINTS), self._rng.getrandbits(64)
        plan = self._rng.choice(PLANS)
        body = {"user": user, "plan": plan, "points": points, "read": f"{read:016x}"}
        return Answered(200, body)


def fetch(profiles: Profiles) -> Fetch:
    """Return a service that nobody watches, and that holds nothing."""

    async def answer(user: str) -> Answered:
        return profiles.answer(user)

    return answer
