"""The upstream answers what nobody can guess, and says the same on the wire."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from grader.fakes.addresses import addresses, profiles_of
from grader.fakes.upstream import Answered, Fetch, Profiles, fetch
from tests.fakes.model_bench import KEY, LIMIT_S, Bench


@pytest.fixture
def profiles() -> Profiles:
    return Profiles(random.Random(1))


def service(bench: Bench, asks: Fetch | None) -> str:
    """Return where a caller finds profiles, or would."""

    async def admit() -> str:
        return bench.server.admit(KEY, bench.answers, fetch=asks)

    return profiles_of(bench.run(admit()))


def test_no_answer_comes_twice(profiles: Profiles) -> None:
    """each answer about a user is about this user, and is another one"""
    answers = [profiles.answer("user-1") for _ in range(50)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.body["user"] for answer in answers} == {"user-1"}
    assert len({answer.body["read"] for answer in answers}) == 50


def test_a_seed_repeats(profiles: Profiles) -> None:
    """the same seed gives the same answers"""
    again = Profiles(random.Random(1))
    assert profiles.answer("user-1") == again.answer("user-1")


@pytest.mark.parametrize("status", [500, 503, 0])
def test_fails_for_one_user_until_it_recovers(profiles: Profiles, status: int) -> None:
    """an error is about one user, every time, until it is set back"""
    profiles.set("user-1", status)
    seen = [profiles.answer(user).status for user in ("user-1", "user-2", "user-1")]
    assert seen == [status, 200, status]
    profiles.set("user-1", 200)
    assert profiles.answer("user-1").status == 200


def test_on_the_wire(bench: Bench, profiles: Profiles) -> None:
    """a profile is JSON; an error has its status and says why; a user is one segment"""
    url = service(bench, fetch(profiles))
    found = httpx.get(f"{url}/profiles/user-1")
    assert (found.status_code, found.json()["user"]) == (200, "user-1")
    profiles.set("user-2", 503)
    failed = httpx.get(f"{url}/profiles/user-2")
    assert failed.status_code == 503
    assert "cannot read" in failed.json()["error"]["message"]
    assert httpx.get(f"{url}/profiles").status_code == 404
    assert httpx.get(f"{url}/profiles/a/b").status_code == 404
    assert httpx.get(f"{url}/profiles/%C3%A4").json()["user"] == "ä"


def test_hangs_up(bench: Bench, profiles: Profiles) -> None:
    """status 0 is a connection closed without a byte"""
    profiles.set("user-1", 0)
    url = service(bench, fetch(profiles))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending"):
        httpx.get(f"{url}/profiles/user-1")


def test_who_has_no_upstream(bench: Bench, profiles: Profiles) -> None:
    """who has none, or guesses a URL, finds no profiles"""
    assert httpx.get(f"{service(bench, None)}/profiles/user-1").status_code == 404
    url = service(bench, fetch(profiles))
    guessed = url.replace(url.split("/")[3], "guess")
    assert httpx.get(f"{guessed}/profiles/user-1").status_code == 404


def test_a_client_that_gives_up(bench: Bench) -> None:
    """a request that waits is cancelled when its client hangs up"""

    async def waits(user: str) -> Answered:
        await bench.holds({})
        raise AssertionError("nobody releases it")

    url = service(bench, waits)
    with ThreadPoolExecutor(1) as pool:
        with httpx.Client(timeout=LIMIT_S) as client:
            waiting = pool.submit(client.get, f"{url}/profiles/user-1")
            assert bench.arrived.wait(LIMIT_S)
            bench.loop.call_soon_threadsafe(
                bench.server.dismiss, url.replace("/upstream", "/v1")
            )
            with pytest.raises(httpx.RemoteProtocolError):
                waiting.result(LIMIT_S)
        assert bench.cancelled.wait(LIMIT_S)


def test_defect_of_the_grader(bench: Bench) -> None:
    """what answers and breaks is remembered as our defect; the client gets a 500"""

    async def breaks(user: str) -> Answered:
        raise ZeroDivisionError

    url = service(bench, breaks)
    assert httpx.get(f"{url}/profiles/user-1").status_code == 500
    assert isinstance(bench.server.broken, ZeroDivisionError)
    bench.server.broken = None


def test_addresses() -> None:
    """one base URL gives the addresses of all fakes"""
    found = addresses("http://127.0.0.1:1/token/v1", "sk-1")
    assert found == {
        "OPENAI_BASE_URL": "http://127.0.0.1:1/token/v1",
        "OPENAI_API_KEY": "sk-1",
        "LEDGER_URL": "http://127.0.0.1:1/token/ledger",
        "PROFILE_URL": "http://127.0.0.1:1/token/upstream",
    }
