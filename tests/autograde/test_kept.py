"""Authors share the process that judges, and nothing that runs what they wrote."""

from __future__ import annotations

import contextlib

import psutil

from grader.autograde.kept import Kept
from grader.client import ANSWER_LIMIT_S, Client
from grader.harness.tiers import ISOLATED
from grader.session import asked
from grader.vocabulary import Status
from tests.harness.living import is_zygote, survivors
from tests.sandbox.conftest import needed

STEM = "ex00_start_here"
PASSES_NONE = "def increment(name):\n    return 0\n"


def test_each_author_has_a_harness_of_their_own() -> None:
    """one service serves two authors; the first one's harness is gone by then"""
    kept = Kept(idle_s=600)
    try:
        with kept.fresh() as client:
            first, service = client.ask("fresh")["ready"], client.pid
            judge(client)
        with kept.fresh() as client:
            assert not psutil.pid_exists(first)
            second = client.ask("fresh")["ready"]
            assert (second != first, client.pid) == (True, service)
            assert psutil.pid_exists(second)
    finally:
        kept.close()
    assert not any(psutil.pid_exists(pid or 0) for pid in (second, service))


def test_a_harness_that_judged_nothing_is_kept() -> None:
    """whoever asks for a new harness twice gets the same one, as nothing ran in it"""
    kept = Kept(idle_s=600)
    try:
        with kept.fresh() as client:
            pids = {client.ask("fresh")["ready"] for _ in range(2)}
    finally:
        kept.close()
    assert len(pids) == 1


def test_a_service_that_died_is_replaced() -> None:
    """the author after a crash is judged, in a service of another number"""
    kept = Kept(idle_s=600)
    try:
        with kept.fresh() as client:
            judge(client)
            dead = psutil.Process(client.pid)
            dead.kill()
            dead.wait()
        with kept.fresh() as client:
            assert "verdict" in judge(client)
            assert client.pid != dead.pid
    finally:
        kept.close()


def test_a_service_that_says_nothing_is_replaced() -> None:
    """who waits gets an error for a person, and the next author is judged"""
    kept = Kept(idle_s=600)
    try:
        with kept.fresh() as client:
            silent = psutil.Process(client.pid)
            silent.suspend()
            client.limit_s = 0.1
            verdict, _ = asked(client, STEM, PASSES_NONE, None, 0)
            assert {each.status for each in verdict.results} == {Status.error}
            assert "no answer for 0.1 s" in verdict.results[0].rationale
            assert not silent.is_running()
            client.limit_s = ANSWER_LIMIT_S
        with kept.fresh() as client:
            assert "verdict" in judge(client)
    finally:
        kept.close()


def test_the_libraries_are_imported_once() -> None:
    """the zygotes of the judge and of the kernels come from one, and all end"""
    needed(ISOLATED)
    before = psutil.Process().children(recursive=True)
    kept = Kept(idle_s=600)
    try:
        with kept.fresh() as client:
            judge(client)
            kept.kernels.start()
            service = psutil.Process(client.pid)
            now = psutil.Process().children(recursive=True)
            own = [each for each in now if each not in before]
            assert sum(is_zygote(each) and is_alone(each) for each in own) == 1
            assert not any(is_zygote(each) for each in service.children())
    finally:
        kept.close()
    assert not survivors([service, *own])


def is_alone(zygote: psutil.Process) -> bool:
    """Whether it runs, and no other has forked it."""
    with contextlib.suppress(psutil.Error):
        return not is_zygote(zygote.parent())
    return False


def test_it_ends_when_nobody_comes() -> None:
    """after a while without a submission, no process is left to wait for one"""
    kept = Kept(idle_s=0)
    with kept.fresh() as client:
        service = psutil.Process(client.pid)
    service.wait(60)


def judge(client: Client) -> dict[str, object]:
    """Have a submission judged; return what the service answers."""
    answer: dict[str, object] = client.ask(
        "check", stem=STEM, text=PASSES_NONE, seed=1, processes=0
    )
    return answer
