"""A limit counts the time in which a process could run, and what it burns."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from grader.harness import patience
from grader.harness.patience import OutOfPatience, Spent, until, within

BURNS = "print('ready', flush=True)\nwhile True: pass"


class Never:
    """Something to wait for that does not come."""

    def __await__(self) -> Iterator[object]:
        return asyncio.get_running_loop().create_future().__await__()


async def never() -> None:
    """Wait for ever."""
    await Never()


@pytest.fixture
def burning() -> Iterator[int]:
    """A process that does nothing but burn processor time."""
    with subprocess.Popen([sys.executable, "-c", BURNS], stdout=-1) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process.pid
        process.kill()


def elapsed_s(limit_s: float, crowded: list[float], runnable: int = 1) -> float:
    """Return how long a hang is waited for when each look finds it crowded for so long.

    The last of `crowded` is what all further looks find; `runnable` OS threads of the
    machine can run.
    """

    class Crowded(Spent):
        def crowded_s(self) -> float:
            return crowded.pop(0) if len(crowded) > 1 else crowded[0]

    async def wait() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(OutOfPatience, match=rf"^{limit_s:g} s passed$"):
            await within(never(), limit_s)
        return loop.time() - began

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patience, "Spent", Crowded)
        patch.setattr(patience, "_runnable", lambda: runnable)
        return asyncio.run(wait())


def test_idle() -> None:
    """where nothing had to wait for a processor the limit is the limit"""
    assert 0.2 <= elapsed_s(0.2, [0.0]) < 2


def test_crowded() -> None:
    """time that was spent waiting for a processor is added to the limit"""
    assert elapsed_s(0.2, [0.3, 0.6, 0.6]) >= 0.8


def test_a_crowded_machine() -> None:
    """where four times as many can run as is usual, a quarter of the time counts"""
    many = 4 * patience.USUAL * patience.CPUS
    assert elapsed_s(0.2, [0.0], runnable=many) >= 0.8


def test_what_can_run_is_read(burning: int) -> None:
    """of the threads that can run the system knows at least the two of this test"""
    assert asyncio.run(until(lambda: patience._runnable() >= 2, 20))


def test_hard_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """on the most crowded machine there is a limit too"""
    monkeypatch.setattr(patience, "HARD_LIMIT_S", 0.4)
    assert 0.4 <= elapsed_s(0.2, [1000.0]) < 2


def test_processor_time(burning: int) -> None:
    """a busy loop ends by what it burns, long before the time limit"""

    async def wait() -> None:
        await within(never(), 60, [burning], cpu_limit_s=0.3)

    with pytest.raises(OutOfPatience, match=r"^it used 0\.3 s of processor time"):
        asyncio.run(wait())


def test_burning_is_measured(burning: int) -> None:
    """the processor time of a process is read from the system"""
    spent = Spent(burning)
    assert asyncio.run(until(lambda: spent.cpu_s() > 0.05, 20))
    assert spent.crowded_s() >= 0


def test_asleep() -> None:
    """a process that waits neither burns nor is kept from running"""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as process:
        spent = Spent(process.pid)
        idle = asyncio.run(until(lambda: spent.cpu_s() > 5, 0.3))
        process.kill()
    assert not idle
    assert spent.cpu_s() < 5


def test_ended_process() -> None:
    """a process that is gone has burnt nothing and waited for nothing"""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    spent = Spent(process.pid)
    assert (spent.cpu_s(), spent.crowded_s()) == (0.0, 0.0)


def test_result_and_error() -> None:
    """what comes in time is returned or raised as it is"""

    async def wait() -> int:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        done.get_loop().call_soon(done.set_result, 7)
        assert await within(done, 5) == 7
        failed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        failed.set_exception(KeyError("theirs"))
        with pytest.raises(KeyError, match="theirs"):
            await within(failed, 5, [os.getpid()])
        return 0

    assert asyncio.run(wait()) == 0


def test_out_of_patience_cancels() -> None:
    """what is no longer waited for is cancelled"""

    async def wait() -> bool:
        task = asyncio.ensure_future(never())
        with pytest.raises(OutOfPatience):
            await within(task, 0.05)
        await asyncio.wait({task})
        return task.cancelled()

    assert asyncio.run(wait())


def test_until() -> None:
    """a condition is looked at until it is true, or until the limit"""
    looks: list[int] = []

    def seen() -> bool:
        looks.append(1)
        return len(looks) >= 3

    assert asyncio.run(until(seen, 20))
    assert len(looks) == 3
    assert not asyncio.run(until(lambda: False, 0.05))
