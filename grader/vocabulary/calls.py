"""The steps that ask something of a process: one call, or several at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One process calls one function of the submission.

    Over HTTP it is sent a request: `function` is the method, `args` path and body.
    A client that `hangs_up` does so while the upstream holds what it has asked for.
    """

    process: int
    function: str
    args: tuple[Any, ...] = ()
    http: bool = False
    hangs_up: bool = False


@dataclass(frozen=True, slots=True)
class Together:
    """Calls made at once; the model holds `held_at` until all of them are in.

    A charge is held before the ledger has looked at it. A profile is held until all
    calls are in or nothing moves any more; what is asked `meanwhile` is asked then,
    and has until nothing moves any more to be answered before the profiles are.

    Where they are `answered` in an order, by number, each of them is made when the one
    before it is in, and answered when the one before it in that order has returned.
    """

    calls: tuple[Call, ...]
    held_at: str | None = None
    answered: tuple[int, ...] = ()
    meanwhile: tuple[Call, ...] = ()
