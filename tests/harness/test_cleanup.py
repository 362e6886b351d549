"""However a run ends, no process and no temporary file of it is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader.harness import launch, stale
from grader.harness.fork_launcher import ForkLauncher
from grader.vocabulary import Status, process
from tests.harness.conftest import Fresh
from tests.harness.living import (
    BOTH,
    LIMIT_S,
    Signal,
    command,
    leftovers,
    survivors,
    tree,
)
from tests.harness.small import LIGHT, Warm, exercise, source

STEM = "ex04_memory_saver"
KEEPS = process(0).calls("chat", "{thread}", "leave it")


@pytest.fixture
def checking(said: Signal, scratch: Path) -> Iterator[subprocess.Popen[str]]:
    """The command line, checking a submission that hangs and has left daemons."""
    file = scratch.parent / "hangs.py"
    file.write_text(said.hangs())
    running = command("check", file, "--exercise", STEM, folder=scratch)
    yield running
    if running.poll() is None:
        running.kill()
    running.communicate()


def everything(pid: int, said: Signal) -> list[psutil.Process]:
    """Wait until a submission hangs; return all that runs for it by then."""
    return [*said.wait(BOTH), *tree(pid)]


def test_daemon(light: Warm, said: Signal) -> None:
    """a daemon that a submission has left ends with its run"""
    run = light.history(said.hangs(), KEEPS)
    assert run.replies[0].value == "a"
    with pytest.raises(psutil.NoSuchProcess):
        said.wait()  # it wrote its pid, and no such process is there
    assert not list(light.harness.folder.glob("run-*"))


def test_cancelled(light: Warm, said: Signal) -> None:
    """a run that is cancelled leaves nothing, and the harness goes on"""

    async def cancel() -> list[psutil.Process]:
        order = light.order(said.hangs(), exercise())
        run = asyncio.create_task(light.harness.run(order))
        found = await asyncio.to_thread(said.wait, BOTH)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        return found

    assert not survivors(light.run(cancel()))
    assert not list(light.harness.folder.glob("run-*"))
    again = light.history("def chat(thread_id, text):\n    return 'a'\n")
    assert [reply.value for reply in again.replies] == ["a", "a"]


def test_closed(fresh: Fresh, said: Signal, scratch: Path) -> None:
    """closing a harness in the middle of a run ends the run and removes its folder"""
    one = fresh(folder=scratch)

    async def close() -> list[psutil.Process]:
        order = one.order(said.hangs(), exercise())
        run = asyncio.create_task(one.harness.run(order))
        found = await asyncio.to_thread(said.wait, BOTH)
        await one.harness.launcher.close()
        await asyncio.wait({run})
        assert run.exception() is not None
        return found

    assert not survivors(one.run(close()))


def test_ended(scratch: Path) -> None:
    """a harness that ends takes its forkserver and its folder with it"""
    one = Warm(ForkLauncher(), LIGHT, scratch)
    found = psutil.Process(one.harness.launcher.root_pid())
    assert leftovers(scratch) == [one.harness.folder.name]
    one.close()
    assert not survivors([found])
    assert leftovers(scratch) == []


def test_interrupted_command(
    checking: subprocess.Popen[str], said: Signal, scratch: Path
) -> None:
    """Ctrl-C ends the command with status 3, and leaves nothing"""
    found = everything(checking.pid, said)
    checking.send_signal(signal.SIGINT)
    out, err = checking.communicate(timeout=LIMIT_S)
    assert (checking.returncode, out) == (3, "")
    assert err == "interrupted; nothing was judged\n"
    assert not survivors(found)
    assert leftovers(scratch) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_command(
    checking: subprocess.Popen[str], said: Signal, scratch: Path, how: signal.Signals
) -> None:
    """the end of the command, also by kill -9, is the end of all that it started"""
    found = everything(checking.pid, said)
    checking.send_signal(how)
    checking.communicate(timeout=LIMIT_S)
    assert checking.returncode == -how
    assert not survivors(found)
    assert leftovers(scratch) == []


def test_killed_forkserver(fresh: Fresh, said: Signal) -> None:
    """without its guard a run is an error, its daemons end, and nothing is judged"""
    one = fresh()

    async def kill() -> list[psutil.Process]:
        found = await asyncio.to_thread(said.wait, BOTH)
        os.kill(one.harness.launcher.root_pid(), signal.SIGKILL)
        return found

    async def both() -> tuple[list[psutil.Process], list[Status]]:
        from grader import runner

        text, made = source(said.hangs()), exercise()
        found, outcome = await asyncio.gather(
            kill(), runner.check(one.harness, "ex99_small", made, text)
        )
        return found, [result.status for result in outcome.verdict.results]

    found, statuses = one.run(both())
    assert statuses == [Status.error]
    assert not survivors(found)


def test_all_guards_killed(
    checking: subprocess.Popen[str], said: Signal, scratch: Path, fresh: Fresh
) -> None:
    """what outlives both the command and the forkserver ends with the next harness"""
    found = everything(checking.pid, said)
    (guard,) = psutil.Process(checking.pid).children()
    guard.suspend()  # so that it cannot clean up when the command has gone
    checking.kill()
    checking.communicate(timeout=LIMIT_S)
    guard.kill()
    (left,) = leftovers(scratch)
    one = fresh(folder=scratch)
    assert leftovers(scratch) == [one.harness.folder.name]
    assert left != one.harness.folder.name
    assert not survivors(found)


def test_folder_in_use(fresh: Fresh, scratch: Path) -> None:
    """a harness that starts does not remove the folder of one that lives"""
    first, second = fresh(folder=scratch), fresh(folder=scratch)
    folders = sorted(one.harness.folder.name for one in (first, second))
    stale.remove_stale(scratch, stale.RUN)
    assert leftovers(scratch) == folders
    answers = "def chat(thread_id, text):\n    return 'a'\n"
    assert first.verdict(answers).passed


def test_failed_start(scratch: Path, fresh: Fresh) -> None:
    """a harness that cannot start leaves no folder"""
    with pytest.raises(launch.GraderBroke):
        fresh(preload=("sys:exit",), folder=scratch)
    assert leftovers(scratch) == []


def test_every_run_is_gone(scratch: Path, said: Signal) -> None:
    """after a command that has judged there is no process and no folder either"""
    file = scratch.parent / "leaves.py"
    text = said.hangs().replace('text == "leave it"', "True")
    file.write_text(text)
    with command("check", file, "--exercise", STEM, folder=scratch) as running:
        out, _ = running.communicate(timeout=4 * LIMIT_S)
    assert running.returncode == 1, out
    assert leftovers(scratch) == []
    with pytest.raises(psutil.NoSuchProcess):
        said.wait(BOTH)  # they wrote their pids, and no such process is there
