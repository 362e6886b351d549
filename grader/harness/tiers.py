"""What stands around the forkserver and its processes: three tiers, best first."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakSet

from grader.harness.isolated import Isolated
from grader.harness.launch import PACKAGE_ROOT, Place, clean_environment
from grader.harness.limits import CPU_LIMIT_S, SANDBOX_TASKS_LIMIT
from grader.harness.preloaded import Preloaded
from grader.sandbox import bubblewrap, walls

ISOLATED, REDUCED, NOT_ISOLATED = 1, 2, 3
NAMES = {ISOLATED: "isolated", REDUCED: "reduced", NOT_ISOLATED: "not isolated"}
# The part of the grader that stands on the untrusted side, and all that is in there.
HARNESS = (
    "descendants",
    "enclosure",
    "forked",
    "forkserver",
    "limits",
    "preloading",
    "rehearsal",
    "serving",
    "worker",
)
SANDBOX = (
    *("folders", "forwarder", "joining", "landlock", "mounts", "syscalls"),
    "walls",
)
FORKSERVER = "grader.harness.forkserver"
SETTING = "GRADER_TIER"  # of the environment: 2 or 3 asks for less than there is
UIDS_A_PROCESS = 64
_users = itertools.count()
_there: WeakSet[Tier] = WeakSet()
_choosing = threading.Lock()  # a class is judged in several OS threads


class Tier:
    """How the forkserver is started, and what its processes give up.

    Attributes:
        number: 1 to 3; see `NAMES`.
        owner: the user that root gives up its rights to; 0 where there is none.
    """

    def __init__(self, number: int, preloaded: Preloaded | None = None) -> None:
        self.number = number
        # A user of its own for each sandbox: the kernel counts its processes alone.
        private = number == ISOLATED and bubblewrap.others()
        with _choosing:
            self.owner = _user() if private else 0
            _there.add(self)
        self._preloaded, self._own_preloaded = preloaded, contextlib.ExitStack()
        self._order: dict[str, Any] = {}
        self._alive = -1

    def settings(self, place: Place) -> dict[str, Any]:
        """Return what the forkserver is told of its walls."""
        if self.number == NOT_ISOLATED:
            return {"plan": None, "sockets": "", "emptied": []}
        if self.number == REDUCED:
            read = [*bubblewrap.readable(), *map(str, _modules())]
            write = bubblewrap.writable()
            plan = walls.Plan(read, write, [place.port], 0, CPU_LIMIT_S)
            return {"plan": asdict(plan), "sockets": "", "emptied": []}
        tasks, write = SANDBOX_TASKS_LIMIT, bubblewrap.writable()
        read = bubblewrap.readable()
        plan = walls.Plan(read, write, None, tasks, CPU_LIMIT_S, self.owner)
        emptied = list(bubblewrap.SHARED)
        sockets = str(place.sockets)
        return {"plan": asdict(plan), "sockets": sockets, "emptied": emptied}

    def removed(self, place: Place) -> str:
        """Return the folder that the forkserver removes when nobody is there for it."""
        return str(place.scratch if self.number == ISOLATED else place.folder)

    async def start(
        self, arguments: Sequence[str], place: Place, fd: int, output: BinaryIO
    ) -> asyncio.subprocess.Process:
        """Start the forkserver, which has `fd`; the process's end is the end of all.

        Raises:
            GraderBroke: there is no sandbox, or nobody to enter it.
        """
        if self.number == ISOLATED:
            return await self._isolated(arguments, place, fd, output)
        command = [sys.executable, "-m", FORKSERVER, str(fd)]
        return await asyncio.create_subprocess_exec(
            *(*command, *arguments),
            pass_fds=[fd],
            start_new_session=True,  # Ctrl-C in a terminal is not for it
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=place.scratch,
            env=clean_environment(str(place.scratch)),
        )

    async def _isolated(
        self, arguments: Sequence[str], place: Place, fd: int, output: BinaryIO
    ) -> asyncio.subprocess.Process:
        if self._preloaded is None:
            made = Preloaded([FORKSERVER, *arguments[2:]])
            self._preloaded = self._own_preloaded.enter_context(made)
        self._preloaded.start()  # to import beside what follows
        environment = clean_environment(str(place.scratch))
        programs = f"{Path(sys.executable).parent}:{os.defpath}"
        environment |= {"PYTHONPATH": bubblewrap.GRADER, "PATH": programs}
        built = bubblewrap.arguments(
            (),
            [place.scratch],
            [place.sockets],
            _modules(),
            environment,
            bool(self.owner),
        )
        sandbox = Isolated(built, place.folder, output)
        order = {
            "becomes": f"{FORKSERVER}:run",
            "arguments": arguments,
            "environment": environment,
        }
        try:
            process = await sandbox.entered(self._preloaded, order, fd)
        except BaseException:
            self._alive = sandbox.alive
            self.let_go()
            raise
        self._alive = sandbox.alive
        self._order = {**order, "sandbox": sandbox.first}
        return process

    def start_apart(self, settings: str, fd: int, output: BinaryIO) -> bool:
        """Have another one enter the sandbox, which has `fd` and its own hash seed.

        Returns:
            Whether there is a sandbox; elsewhere, the forkserver starts another.
        """
        if self.number != ISOLATED or self._preloaded is None:
            return False
        _, _, *modules = self._order["arguments"]
        order = {**self._order, "arguments": ["", settings, *modules]}
        # The sandbox does not live by this one, so what it holds is only its output.
        files = [fd, output.fileno(), output.fileno()]
        self._preloaded.another.fork(order, files)
        return True

    def let_go(self) -> None:
        """Tell the guard, where there is one, that nobody needs the sandbox."""
        if self._alive >= 0:
            os.close(self._alive)
            self._alive = -1
        self._own_preloaded.close()


def _user() -> int:
    """Return the next of this process's users whom no sandbox of it has."""
    taken = {tier.owner for tier in _there}
    for _ in range(UIDS_A_PROCESS):
        turn = next(_users) % UIDS_A_PROCESS
        user = bubblewrap.FIRST_UID + os.getpid() * UIDS_A_PROCESS + turn
        if user not in taken:
            break
    return user


@cache
def best() -> int:
    """Return the best tier that this machine has."""
    wanted = int(os.environ.get(SETTING) or ISOLATED)
    if walls.available():
        return NOT_ISOLATED
    return max(wanted, REDUCED if bubblewrap.available() else ISOLATED)


def why_not_isolated() -> str:
    """Return what is missing for the first tier, or "" where it is there."""
    return walls.available() or bubblewrap.available()


def _modules() -> list[Path]:
    package = Path(PACKAGE_ROOT, "grader")
    names = [f"harness/{name}.py" for name in ("__init__", *HARNESS)]
    names += [f"sandbox/{name}.py" for name in ("__init__", *SANDBOX)]
    return [package / "__init__.py", *(package / name for name in names)]
