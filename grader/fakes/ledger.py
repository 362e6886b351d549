"""A ledger that charges once for each idempotency key, as payment providers do."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from grader.vocabulary.outside import LedgerFails

IN_FLIGHT, OTHER_BODY, TOO_MANY = 409, 422, 429
AMOUNTS = 10**18  # cents from which on nothing is an amount
KEY_LENGTH = 255  # characters of an idempotency key, as most providers limit it
# What is remembered of one run's requests is 80 MB at most.
BODY_LENGTH = 4096  # characters of JSON
CHARGES_LIMIT = 10_000
TYPES: Mapping[int, str] = {400: "invalid_request_error", 404: "invalid_request_error"}
UNKNOWN = "the ledger could not say whether it has charged"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the ledger did with one request, and what it answers.

    Attributes:
        status: the HTTP status; 0 for a connection that is closed without a word, -1
            for a request that is never answered.
        body: of the response.
        charge_id: of the charge behind the answer, made now or by an earlier request.
        new: whether this request has moved money.
    """

    status: int
    body: Mapping[str, Any]
    charge_id: str = ""
    new: bool = False

    @property
    def replayed(self) -> bool:
        """Whether the answer is that to an earlier request with the same key."""
        return bool(self.charge_id) and not self.new


class Ledger:
    """Charges, and the keys that they were asked for by; nothing in here waits.

    A request with a key is in flight from `enter` to `leave`, and `charge` in between
    decides it. The same key and body get the same charge again, also where nobody has
    heard the first answer. An error before anything was charged keeps no key.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._charges: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, tuple[str, str]] = {}  # body and charge, by key
        self._in_flight: set[str] = set()
        self._unlisted: set[str] = set()
        self._failures: list[LedgerFails] = []

    def apply(self, step: LedgerFails) -> None:
        """Let the next requests that are neither refused nor in flight go wrong."""
        self._failures.extend([step] * step.times)

    def enter(self, key: str, body: Mapping[str, Any]) -> Decision | None:
        """Look at a request; return why it is refused, or None where it goes on."""
        problem = _problem(key, body)
        if problem:
            return Decision(400, _error(400, problem))
        if key in self._in_flight:
            text = "a request with this idempotency key is in flight: try again"
            return Decision(IN_FLIGHT, _error(IN_FLIGHT, text))
        before, charge_id = self._keys.get(key, ("", ""))
        if before and before != _fingerprint(body):
            text = (
                "this idempotency key was used with another body: expected "
                f"{before}, found {_fingerprint(body)}"
            )
            return Decision(OTHER_BODY, _error(OTHER_BODY, text), charge_id)
        if not before and len(self._charges) >= CHARGES_LIMIT:
            text = f"there are {CHARGES_LIMIT} charges, and no room for more"
            return Decision(TOO_MANY, _error(TOO_MANY, text))
        if key:
            self._in_flight.add(key)
        return None

    def charge(self, key: str, body: Mapping[str, Any]) -> Decision:
        """Decide a request that has entered."""
        self._unlisted.clear()
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None and not failure.charged:
            text = "the ledger is out of order, and has charged nothing"
            return Decision(failure.status, _error(failure.status, text))
        made = self._keys.get(key)
        charge_id = made[1] if made else self._new(body)
        if key:
            self._keys[key] = _fingerprint(body), charge_id
        done = Decision(200, self._charges[charge_id], charge_id, new=made is None)
        if failure is None:
            return done
        if not failure.listed:
            self._unlisted.add(charge_id)
        return replace(
            done, status=failure.status, body=_error(failure.status, UNKNOWN)
        )

    def leave(self, key: str) -> None:
        """Let the key of a request that was decided, or given up, be used again."""
        self._in_flight.discard(key)

    def find(self, charge_id: str) -> Decision:
        """Return one charge."""
        if charge_id in self._charges:
            return Decision(200, self._charges[charge_id], charge_id)
        return Decision(404, _error(404, f"there is no charge {charge_id[:50]!r}"))

    def of_order(self, order_id: str) -> Decision:
        """Return all charges of an order that are listed yet, the oldest first."""
        found = [
            charge
            for charge_id, charge in self._charges.items()
            if charge.get("order_id") == order_id and charge_id not in self._unlisted
        ]
        return Decision(200, {"data": found})

    def _new(self, body: Mapping[str, Any]) -> str:
        charge_id = f"ch_{self._rng.getrandbits(64):016x}"
        known = {"id": charge_id, "object": "charge", "status": "succeeded"}
        self._charges[charge_id] = {**body, **known}
        return charge_id


@dataclass(frozen=True, slots=True)
class Desk:
    """Where one caller pays: the ledger, and who decides when it is asked."""

    ledger: Ledger
    charge: Callable[[str, Mapping[str, Any]], Awaitable[Decision]]


def desk(ledger: Ledger) -> Desk:
    """Return a desk at which nothing goes wrong and nobody watches."""

    async def charge(key: str, body: Mapping[str, Any]) -> Decision:
        refused = ledger.enter(key, body)
        if refused is not None:
            return refused
        decided = ledger.charge(key, body)
        ledger.leave(key)
        return decided

    return Desk(ledger, charge)


def cents(body: Mapping[str, Any]) -> int:
    """Return the amount of a request, 0 where it is none: a number or its digits."""
    found = body.get("amount")
    if isinstance(found, str) and found.isascii() and found.isdigit():
        return int(found) if len(found) < len(str(AMOUNTS)) else 0
    if not isinstance(found, int) or isinstance(found, bool):
        return 0
    return found if abs(found) < AMOUNTS else 0


def _problem(key: str, body: Mapping[str, Any]) -> str:
    if cents(body) <= 0:
        given = str(body.get("amount", "none"))[:50]
        return f"expected an amount in cents, such as 1250, found {given}"
    if len(key) > KEY_LENGTH:
        return f"expected a key of at most {KEY_LENGTH} characters, found {len(key)}"
    if len(_fingerprint(body)) > BODY_LENGTH:
        found = f"found {len(_fingerprint(body))}"
        return f"expected a body of at most {BODY_LENGTH} characters, {found}"
    return ""


def _fingerprint(body: Mapping[str, Any]) -> str:
    return json.dumps(body, sort_keys=True)


def _error(status: int, message: str) -> dict[str, Any]:
    usual = "idempotency_error" if status in (IN_FLIGHT, OTHER_BODY) else "api_error"
    return {"error": {"type": TYPES.get(status, usual), "message": message}}
