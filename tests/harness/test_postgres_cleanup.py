"""However a harness ends, its server ends, and nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from grader.postgres import programs, scratch
from tests.harness.living import (
    LIMIT_S,
    ROOT,
    Signal,
    command,
    leftovers,
    lines,
    survivors,
    tree,
)
from tests.harness.postgres import Server, processes_of, short_folder

SERVES = """
import asyncio, sys
from grader.postgres.server import Postgres

async def main():
    async with Postgres.open() as server:
        await server.create(prepared=False)
        print(server.folder, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        raise SystemExit(3)

asyncio.run(main())
"""
linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a server may outlive its guard"
)


@dataclass
class Supervisor:
    """A process that has started a server."""

    popen: subprocess.Popen[bytes]
    folder: Path
    family: list[psutil.Process]  # the guard, the server and all that it runs

    def ended(self) -> bool:
        """Wait for the end of everything; return whether nothing is left."""
        self.popen.wait(LIMIT_S)
        return not survivors(self.family) and not self.folder.exists()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """A process that has started a server, and waits."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVES],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    ) as popen:
        assert popen.stdout is not None
        folder = Path(os.fsdecode(popen.stdout.readline().strip()))
        yield Supervisor(popen, folder, processes_of(folder))
        if popen.poll() is None:
            popen.kill()


def test_exception(supervisor: Supervisor) -> None:
    """an exception in the supervisor ends the server"""
    supervisor.popen.communicate(b"\n")
    assert supervisor.popen.returncode == 3
    assert supervisor.ended()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_signals(supervisor: Supervisor, how: signal.Signals) -> None:
    """Ctrl-C, a polite end and kill -9 of the supervisor end the server"""
    supervisor.popen.send_signal(how)
    if how == signal.SIGINT:
        supervisor.popen.communicate(b"\n")
    assert supervisor.ended()


def test_polite_end_of_the_guard(supervisor: Supervisor) -> None:
    """a guard that is told to end takes its server and its folder with it"""
    supervisor.family[0].terminate()
    assert not survivors(supervisor.family)
    assert not supervisor.folder.exists()


@linux_only
def test_killed_guard(supervisor: Supervisor) -> None:
    """kill -9 of the guard ends the server; its folder goes when the next one starts"""
    supervisor.family[0].kill()
    assert not survivors(supervisor.family)
    assert supervisor.folder.exists()
    Server().close()
    assert not supervisor.folder.exists()


@linux_only
def test_killed_together(supervisor: Supervisor) -> None:
    """kill -9 of supervisor and guard at once leaves no process"""
    supervisor.family[0].suspend()  # so that it cannot clean up
    supervisor.popen.kill()
    supervisor.popen.wait(LIMIT_S)
    supervisor.family[0].kill()
    assert not survivors(supervisor.family)
    scratch.remove_stale("", programs.account())
    assert not supervisor.folder.exists()


def test_server_without_a_guard(supervisor: Supervisor) -> None:
    """a server that nobody guards is ended by its folder"""
    scratch.end_server(supervisor.folder)
    assert not survivors(supervisor.family[1:])


def test_living_server_stays(supervisor: Supervisor) -> None:
    """a server that starts removes none that is guarded"""
    Server().close()
    assert supervisor.folder.exists()
    assert all(process.is_running() for process in supervisor.family)


def test_killed_command(tmp_path: Path) -> None:
    """kill -9 of a check that runs on PostgreSQL leaves no process and no folder"""
    said, file = Signal(tmp_path), tmp_path / "hangs.py"
    file.write_text(said.hangs())
    chosen = ("--exercise", "ex04_memory_saver", "--database", "postgres")
    with (
        short_folder() as folder,
        command("check", file, *chosen, folder=folder) as running,
    ):
        found = [*said.wait(2), *tree(running.pid)]
        ran = lines(found)
        # The server's children have its command line until they set their own.
        data = {Path(line[line.index("-D") + 1]) for line in ran if "-D" in line}
        running.kill()
        running.communicate(timeout=LIMIT_S)
        assert not survivors(found)
        assert [each.parent.exists() for each in data] == [False]
        assert leftovers(folder) == []
    said.close()


def test_a_folder_that_cannot_be_reached() -> None:
    """a folder that the server's user cannot enter is passed over for one it can"""
    who = programs.account()
    with short_folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        places = list(scratch.places(str(closed), who))
        assert (closed in places) == (who is None)
        assert places


@pytest.mark.parametrize(("needed_b", "taken"), [(0, True), (2**62, False)])
def test_in_memory_where_it_is_large(
    monkeypatch: pytest.MonkeyPatch, needed_b: int, taken: bool
) -> None:
    """a server's files are in memory, unless little is free; what stays there goes"""
    with short_folder() as memory:
        memory.chmod(0o1777)
        monkeypatch.setattr(scratch, "MEMORY", str(memory))
        monkeypatch.setattr(scratch, "MEMORY_NEEDED_B", needed_b)
        folder, held = scratch.make("", programs.account())
        assert (folder.parent == memory) is taken
        if held is not None:
            os.close(held)  # as if its guard had died
        scratch.remove_stale("", programs.account())
        assert not folder.exists()
