"""The ledger charges once for each key, and says the same on the wire."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from grader.fakes.addresses import ledger_of
from grader.fakes.answers import Answer
from grader.fakes.ledger import (
    BODY_LENGTH,
    CHARGES_LIMIT,
    Decision,
    Desk,
    Ledger,
    desk,
)
from grader.vocabulary.outside import LedgerFails
from tests.fakes.model_bench import KEY, LIMIT_S, Bench

ORDER = {"order_id": "order-1", "amount": 1250}


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(random.Random(1))


def post(ledger: Ledger, key: str = "", body: Mapping[str, Any] = ORDER) -> Decision:
    """Send one request, decided at once."""
    refused = ledger.enter(key, body)
    if refused is not None:
        return refused
    try:
        return ledger.charge(key, body)
    finally:
        ledger.leave(key)


def test_same_key_and_body(ledger: Ledger) -> None:
    """the same key and body, in any order of fields, is the same charge, made once"""
    first = post(ledger, "k")
    again = post(ledger, "k", dict(reversed(ORDER.items())))
    assert (first.new, again.new, again.replayed) == (True, False, True)
    assert (again.status, again.body) == (first.status, first.body)
    assert ledger.of_order("order-1").body == {"data": [first.body]}


def test_not_listed_yet(ledger: Ledger) -> None:
    """a charge nobody was told of is in no list before the ledger is asked again"""
    ledger.apply(LedgerFails(0, charged=True, listed=False))
    first = post(ledger, "k")
    assert (first.status, first.new) == (0, True)
    assert ledger.of_order("order-1").body == {"data": []}
    again = post(ledger, "k")
    assert (again.status, again.charge_id) == (200, first.charge_id)
    assert ledger.of_order("order-1").body == {"data": [again.body]}


def test_without_a_key(ledger: Ledger) -> None:
    """without a key each request is a charge of its own"""
    assert post(ledger).charge_id != post(ledger).charge_id
    assert len(ledger.of_order("order-1").body["data"]) == 2


def test_same_key_and_other_body(ledger: Ledger) -> None:
    """the same key with another body is refused, says both bodies, charges nothing"""
    first = post(ledger, "k")
    other = post(ledger, "k", {**ORDER, "amount": 7})
    assert (other.status, other.new, other.charge_id) == (422, False, first.charge_id)
    assert "1250" in other.body["error"]["message"]
    assert '"amount": 7' in other.body["error"]["message"]
    assert post(ledger, "k").replayed


def test_in_flight(ledger: Ledger) -> None:
    """a key in flight is a conflict until its request is decided"""
    assert ledger.enter("k", ORDER) is None
    conflict = post(ledger, "k")
    assert (conflict.status, conflict.charge_id) == (409, "")
    assert post(ledger, "other").new
    first = ledger.charge("k", ORDER)
    ledger.leave("k")
    assert post(ledger, "k").charge_id == first.charge_id


def test_given_up(ledger: Ledger) -> None:
    """a request that was given up before it was decided has charged nothing"""
    assert ledger.enter("k", ORDER) is None
    ledger.leave("k")
    assert post(ledger, "k").new


def test_error_before(ledger: Ledger) -> None:
    """an error before the charge keeps no key: the next request charges"""
    ledger.apply(LedgerFails(503, times=2))
    assert [post(ledger, "k").status for _ in range(3)] == [503, 503, 200]
    assert len(ledger.of_order("order-1").body["data"]) == 1


@pytest.mark.parametrize("status", [500, 0, -1])
def test_error_after(ledger: Ledger, status: int) -> None:
    """an answer that is lost after the charge: the same key finds the charge"""
    ledger.apply(LedgerFails(status, charged=True))
    lost, again = post(ledger, "k"), post(ledger, "k")
    assert (lost.status, lost.new) == (status, True)
    assert (again.status, again.replayed) == (200, True)
    assert again.charge_id == lost.charge_id


NO_AMOUNTS = [None, 0, -1, 1.5, "12.50", "", True, "²", [1]]
TOO_LARGE = [10**18, "1" + "0" * 18, 10**4299, "9" * 5000]


@pytest.mark.parametrize("amount", [*NO_AMOUNTS, *TOO_LARGE], ids=range(13))
def test_amounts(ledger: Ledger, amount: object) -> None:
    """an amount is a whole number of cents above 0; another is refused as it is"""
    refused = post(ledger, "k", {**ORDER, "amount": amount})
    assert (refused.status, refused.charge_id) == (400, "")
    assert post(ledger, "k").new


def test_long_key(ledger: Ledger) -> None:
    """a key has at most 255 characters"""
    assert post(ledger, "k" * 255).new
    assert post(ledger, "k" * 256).status == 400


def test_long_body(ledger: Ledger) -> None:
    """a body has at most 4096 characters, for it is remembered"""
    body = {**ORDER, "note": ""}
    room = BODY_LENGTH - len(json.dumps(body))
    assert post(ledger, "k", {**body, "note": "n" * room}).new
    refused = post(ledger, "l", {**body, "note": "n" * (room + 1)})
    assert (refused.status, refused.charge_id) == (400, "")
    assert "expected a body of at most 4096 characters, found 4097" in str(refused.body)


def test_many_charges(ledger: Ledger) -> None:
    """past a number of charges there are no new ones, and old keys are still known"""
    first = post(ledger, "k")
    for _ in range(CHARGES_LIMIT - 1):
        assert post(ledger).new
    for key in ("", "l"):
        assert post(ledger, key).status == 429
    assert post(ledger, "k").charge_id == first.charge_id


def till(bench: Bench, at: Desk | None) -> str:
    """Return the URL of a ledger on the bench's server."""

    async def admit() -> str:
        return ledger_of(bench.server.admit(KEY, bench.answers, desk=at))

    return bench.run(admit())


def test_on_the_wire(bench: Bench, ledger: Ledger) -> None:
    """charges are made, repeated and found over HTTP, as a provider's are"""
    url = till(bench, desk(ledger))
    headers = {"Idempotency-Key": "k"}
    with httpx.Client(base_url=url, headers=headers, timeout=LIMIT_S) as client:
        first, again = (client.post("/charges", json=ORDER) for _ in range(2))
        assert first.json() == again.json()
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        found = client.get(f"/charges/{first.json()['id']}")
        assert found.json() == {**ORDER, **first.json()}
        listed = client.get("/charges", params={"order_id": "order-1"})
        assert listed.json() == {"data": [first.json()]}
        assert client.get("/charges").status_code == 400
        assert client.get("/charges/ch_none").status_code == 404
        assert client.post("/charges", json={**ORDER, "amount": 9}).status_code == 422


@pytest.mark.parametrize("content", [b"{", b"[]", b"7", b"[" * 100_000, b"\xff"])
def test_bodies(bench: Bench, ledger: Ledger, content: bytes) -> None:
    """a body that is no object is refused, and nothing is charged"""
    response = httpx.post(f"{till(bench, desk(ledger))}/charges", content=content)
    assert response.status_code == 400
    assert "expected" in response.json()["error"]["message"]


def test_no_desk(bench: Bench, ledger: Ledger) -> None:
    """who has no desk, or guesses a URL, finds no ledger"""
    url = till(bench, None)
    assert httpx.post(f"{url}/charges", json=ORDER).status_code == 404
    guessed = url.replace(url.split("/")[3], "guess")
    assert httpx.get(f"{guessed}/charges/ch_1").status_code == 404


def test_hangs_up(bench: Bench, ledger: Ledger) -> None:
    """an answer that is lost is a connection closed without a byte"""
    ledger.apply(LedgerFails(0, charged=True))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending"):
        httpx.post(f"{till(bench, desk(ledger))}/charges", json=ORDER)
    assert len(ledger.of_order("order-1").body["data"]) == 1


def test_client_that_gives_up(bench: Bench, ledger: Ledger) -> None:
    """a request that waits ends when its client hangs up, and leaves no task"""

    async def waits(key: str, body: Mapping[str, Any]) -> Decision:
        await bench.holds(body)
        raise AssertionError("nobody releases it")

    url = till(bench, Desk(ledger, waits))
    with ThreadPoolExecutor(1) as pool, httpx.Client(timeout=LIMIT_S) as client:
        waiting = pool.submit(client.post, f"{url}/charges", json=ORDER)
        assert bench.arrived.wait(LIMIT_S)
        bench.loop.call_soon_threadsafe(
            bench.server.dismiss, url.rpartition("/")[0] + "/v1"
        )
        with pytest.raises(httpx.RemoteProtocolError):
            waiting.result(LIMIT_S)
    assert bench.cancelled.wait(LIMIT_S)


def test_defect_of_the_grader(bench: Bench, ledger: Ledger) -> None:
    """what a desk raises is remembered as our defect, and the client gets a 500"""

    async def breaks(key: str, body: Mapping[str, Any]) -> Decision:
        raise ZeroDivisionError

    url = till(bench, Desk(ledger, breaks))
    assert httpx.post(f"{url}/charges", json=ORDER).status_code == 500
    assert isinstance(bench.server.broken, ZeroDivisionError)
    bench.server.broken = None


def test_model_beside_it(bench: Bench, ledger: Ledger) -> None:
    """the same caller asks the model and pays, each at its own URL"""

    async def asked(body: Mapping[str, Any]) -> Answer:
        return Answer("a", text="settled")

    async def admit() -> str:
        return bench.server.admit(KEY, asked, desk=desk(ledger))

    url = bench.run(admit())
    assert bench.model(base_url=url).invoke("Hi").content == "settled"
    assert httpx.post(f"{ledger_of(url)}/charges", json=ORDER).status_code == 200
