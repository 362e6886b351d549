"""Profiles are held until all calls are in, or until nothing moves any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from grader.harness.order import shuffled
from grader.vocabulary import Run, Scenario, process, together, upstream
from grader.vocabulary.calls import Call, Together
from grader.vocabulary.scenario import Step
from tests.harness.small import Warm, exercise

CONTRACT = ("api: ASGI application",)
# Asks the upstream with the standard library only; `WAY` says how it waits for it.
SERVES = """
import asyncio, json, os, urllib.error, urllib.request
from concurrent.futures import ThreadPoolExecutor

POOL = ThreadPoolExecutor(SIZE)

def fetch(user):
    url = os.environ["PROFILE_URL"] + "/profiles/" + user
    try:
        with urllib.request.urlopen(url, timeout=20) as response:
            return 200, json.load(response)
    except urllib.error.HTTPError as refused:
        return 502, {"detail": str(refused.code)}
    except OSError as problem:
        return 502, {"detail": type(problem).__name__}

async def api(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    what, _, user = scope["path"][1:].partition("/")
    status, value = 200, {"status": "ok"}
    if what == "profile":
        WAY
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(value).encode()})

async def lifespan(receive, send):
    for stage in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{stage}.complete"})
"""
AWAITED = "status, value = await loop().run_in_executor(POOL, fetch, user)"
AWAITED = AWAITED.replace("loop()", "asyncio.get_running_loop()")
BLOCKED = "status, value = fetch(user)"
# An OS thread that never rests, and lets the others run.
BUSY = """
import hashlib, threading

def works():
    while True:
        hashlib.pbkdf2_hmac("sha256", b"", b"", 20_000)

threading.Thread(target=works, daemon=True).start()
"""
NEVER = "value = {'user': user}"


def program(way: str, size: int = 8) -> str:
    return SERVES.replace("SIZE", str(size)).replace("WAY", way)


def served(warm: Warm, text: str, *steps: Step) -> Run:
    """Return what happens when these steps are taken with a server."""
    return warm.histories(text, exercise(*steps, contract=CONTRACT)).runs["only"]


def asks(number: int, hangs_up: bool = False) -> Call:
    return process(0).gets(f"/profile/{{user_{number}}}", hangs_up)


def crowd(*more: Call, count: int = 4, hangs_up: bool = False) -> Together:
    calls = (asks(number, hangs_up) for number in range(count))
    return together(*calls, held_at="profile", meanwhile=more)


HEALTH = process(0).gets("/health")


def test_what_is_written_down(warm: Warm) -> None:
    """who asks about whom, and what came, are observations, also without a hold"""
    run = served(warm, program(AWAITED), asks(1))
    (asked,), (answered,) = run.of("fetch"), run.of("fetched")
    known = {"event": "profile", "request": 1, "user": run.drawn.user_1}
    assert (asked.process, asked.data) == (0, known)
    assert answered.data == {**known, "status": 200, "profile": run.replies[0].value}
    assert run.drawn.user_1 in str(asked)
    assert "answers" in str(answered)


def test_released_when_all_are_in(warm: Warm) -> None:
    """nobody is answered until all are inside, and then everybody is"""
    run = served(warm, program(AWAITED), crowd(HEALTH))
    (released,) = run.of("released")
    assert released.data == {
        **{"event": "profile", "inside": 4, "expected": 4},
        "why": "all were in",
    }
    assert {s.number < released.number for s in run.of("fetch")} == {True}
    assert {s.number > released.number for s in run.of("fetched")} == {True}
    assert all(reply.ok for reply in run.replies)


def test_meanwhile(warm: Warm) -> None:
    """what is asked meanwhile is asked when all are in, and answered before they are"""
    run = served(warm, program(AWAITED), crowd(HEALTH))
    reply, (released,) = run.replies[-1], run.of("released")
    assert reply.value == {"status": "ok"}
    assert run.of("fetch")[-1].number < run.call(reply).number
    assert reply.number < released.number


def test_released_when_nothing_moves(warm: Warm) -> None:
    """a pool of two lets two in: the others, and who asks meanwhile, wait no longer"""
    run = served(warm, program(AWAITED, size=2), crowd(HEALTH))
    (released,) = run.of("released")
    assert (released.data["inside"], released.data["expected"]) == (2, 4)
    assert released.data["why"] == "nothing moved any more"
    assert run.replies[-1].number < released.number
    assert all(reply.ok for reply in run.replies)


def test_a_blocked_loop_is_at_rest(warm: Warm) -> None:
    """one is inside, /health is not answered before the end, and no limit is reached"""
    run = served(warm, program(BLOCKED), crowd(HEALTH))
    (released,) = run.of("released")
    assert (released.data["inside"], released.data["expected"]) == (1, 4)
    assert released.data["why"] == "nothing moved any more"
    assert run.replies[-1].number > released.number
    assert all(reply.ok for reply in run.replies)


def test_a_process_that_never_rests(warm: Warm) -> None:
    """it is given up after a limit, and then answered"""
    run = served(warm, program(AWAITED, size=1) + BUSY, crowd(HEALTH, count=2))
    (released,) = run.of("released")
    assert (released.data["inside"], released.data["expected"]) == (1, 2)
    assert released.data["why"] == "the limit was reached"
    assert all(reply.ok for reply in run.replies)


def test_nobody_asks(warm: Warm) -> None:
    """calls that end without the upstream hold nobody up"""
    run = served(warm, program(NEVER), crowd(HEALTH))
    assert run.of("released")[0].data["inside"] == 0
    assert all(reply.ok for reply in run.replies)


def test_a_user_is_inside_once(warm: Warm) -> None:
    """a request that asks twice about one user is not two"""
    twice = "A, B = (asyncio.get_running_loop().run_in_executor(POOL, fetch, user) "
    twice += "for _ in 'ab'); (status, value), _ = await asyncio.gather(A, B)"
    run = served(warm, program(twice, size=4), crowd())
    assert run.of("released")[0].data["inside"] == 2
    assert len(run.of("fetch")) == 8


def test_fails_and_recovers(warm: Warm) -> None:
    """an error is about the user that a template names, until the upstream recovers"""
    run = served(
        warm,
        program(AWAITED),
        upstream.fails("{user_1}", 500),
        together(asks(1), asks(2), held_at="profile"),
        upstream.drops("{user_1}"),
        asks(1),
        upstream.recovers("{user_1}"),
        asks(1),
    )
    assert [r.data["status"] for r in run.replies] == [502, 200, 502, 200]
    assert "500" in run.replies[0].data["message"]
    assert {s.data["status"] for s in run.of("fetched")} == {500, 200, 0}
    assert "hangs up" in str(run.of("fetched")[2])


def test_a_client_hangs_up(warm: Warm) -> None:
    """it gets no reply, its request ends at the upstream after the release at latest,
    and the process serves whoever comes next"""
    run = served(warm, program(AWAITED), crowd(hangs_up=True), crowd())
    first, again = run.replies[:4], run.replies[4:]
    assert [reply.data["error"] for reply in first] == ["hung_up"] * 4
    assert "hung up" in first[0].trouble
    assert all(reply.ok for reply in again)
    released = run.of("released")
    assert [seen.data["inside"] for seen in released] == [4, 4]
    assert max(reply.number for reply in first) < released[0].number
    ended = [s.number for s in run.of("fetched")][:4]
    assert released[0].number < ended[0]
    assert ended[-1] < run.call(again[0]).number


def test_a_cancelled_request(warm: Warm) -> None:
    """a request that a program gives up has left the upstream, and nobody waited"""
    cancels = """asked = asyncio.ensure_future(get(user))
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        asked.cancel()
        await asyncio.wait({asked})
        return"""
    get = """
async def get(user):
    base, path = os.environ["PROFILE_URL"].split("/", 3)[2:]
    reader, writer = await asyncio.open_connection(*base.split(":"))
    writer.write(f"GET /{path}/profiles/{user} HTTP/1.0\\r\\n\\r\\n".encode())
    try:
        await reader.read()
    finally:
        writer.close()
"""
    run = served(warm, program(cancels) + get, crowd(hangs_up=True))
    (released,) = run.of("released")
    assert [s.data["status"] for s in run.of("fetched")] == [-1] * 4
    assert run.of("fetched")[-1].number < released.number
    assert "hung up" in str(run.of("fetched")[0])


def test_killed_when_it_asks(warm: Warm) -> None:
    """a process can be killed by its request for a profile"""
    run = served(warm, program(AWAITED), process(0).is_killed_when("profile"), asks(1))
    assert run.replies[0].data["error"] == "killed"
    assert run.of("fault")[0].data["event"] == "profile"


def test_shuffled() -> None:
    """renumbering takes what is asked meanwhile along"""
    step = crowd(HEALTH)
    moved = shuffled(Scenario("s", "d", (step,)), seed=1, processes=4)
    (found,) = moved.steps
    assert isinstance(found, Together)
    numbers = {call.process for call in moved.calls}
    assert len(numbers) == 1
    assert found == replace(
        step,
        calls=tuple(replace(c, process=min(numbers)) for c in step.calls),
        meanwhile=(replace(HEALTH, process=min(numbers)),),
    )


def test_a_scenario_knows_its_users() -> None:
    """a user that only a failure names is drawn too"""
    scenario = Scenario("s", "d", (upstream.fails("{user_9}"), crowd(HEALTH)))
    assert "user_9" in scenario.fields
    assert len(scenario.calls) == 5


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(lambda: together(asks(1), meanwhile=(HEALTH,)), id="meanwhile"),
        pytest.param(lambda: together(asks(1, True), held_at="model"), id="hangs up"),
    ],
)
def test_only_a_profile_is_held_so(step: Callable[[], Step]) -> None:
    """who hangs up, or is asked meanwhile, needs a profile that is held"""
    with pytest.raises(ValueError, match="expected held_at='profile'"):
        step()
