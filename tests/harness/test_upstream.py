"""Profiles are held until all calls are in, or until nothing moves any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from grader.harness.limits import HOLD_LIMIT_S
from grader.harness.order import shuffled
from grader.harness.patience import within
from grader.vocabulary import Scenario, together, upstream
from grader.vocabulary.calls import Together
from grader.vocabulary.scenario import Step
from tests.harness.profiles import AWAITED, HEALTH, asks, crowd, program, served
from tests.harness.small import Warm

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
GIVES_UP, ASKS_AGAIN = 'return 502, {"detail": type(problem)', "return fetch(user) #"
STOPS = "import signal; os.kill(os.getpid(), signal.SIGSTOP)"


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


def test_who_asks_again_is_no_newcomer(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """the limit begins anew with each user, not with each request"""
    limits = []

    async def noted(*args: Any, **how: Any) -> Any:
        limits.append(args[1])
        return await within(*args, **how)

    monkeypatch.setattr("grader.harness.crowd.within", noted)
    text = program(AWAITED, size=1).replace("timeout=20", "timeout=0.02") + BUSY
    run = served(warm, text.replace(GIVES_UP, ASKS_AGAIN), crowd())
    first = run.of("released")[0]
    assert sum(asked.number < first.number for asked in run.of("fetch")) > 4
    assert first.data["why"] == "the limit was reached"
    assert limits == [HOLD_LIMIT_S, HOLD_LIMIT_S]


def test_a_process_that_stops_itself(warm: Warm) -> None:
    """it is at rest, and waited for no longer than another that does nothing"""
    run = served(warm, program(STOPS), crowd(HEALTH))
    assert run.of("released")[0].data["why"] == "nothing moved any more"
    assert [reply.data["error"] for reply in run.replies] == ["hang"] * 5


def test_nobody_asks(warm: Warm) -> None:
    """calls that end without the upstream hold nobody up"""
    run = served(warm, program(NEVER), crowd(HEALTH))
    released = run.of("released")[0].data
    assert (released["inside"], released["why"]) == (0, "all were answered")
    assert all(reply.ok for reply in run.replies)


def test_a_user_is_inside_once(warm: Warm) -> None:
    """a request that asks twice about one user is not two"""
    twice = "A, B = (asyncio.get_running_loop().run_in_executor(POOL, fetch, user) "
    twice += "for _ in 'ab'); (status, value), _ = await asyncio.gather(A, B)"
    run = served(warm, program(twice, size=4), crowd())
    assert run.of("released")[0].data["inside"] == 2
    assert len(run.of("fetch")) == 8


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
