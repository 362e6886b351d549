"""What stands around the forkserver and its processes: three tiers, best first."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO
from weakref import WeakSet

from grader.harness.launch import PACKAGE_ROOT, Place, clean_environment
from grader.harness.limits import CPU_LIMIT_S, SANDBOX_TASKS_LIMIT
from grader.sandbox import bubblewrap, guard, walls

ISOLATED, REDUCED, NOT_ISOLATED = 1, 2, 3
NAMES = {ISOLATED: "isolated", REDUCED: "reduced", NOT_ISOLATED: "not isolated"}
# The part of the grader that stands on the untrusted side, and all that is in there.
HARNESS = (
    "enclosure",
    "forked",
    "forkserver",
    "limits",
    "preloading",
    "rehearsal",
    "serving",
    "worker",
)
SANDBOX = ("folders", "forwarder", "landlock", "mounts", "syscalls", "walls")
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

    def __init__(self, number: int) -> None:
        self.number = number
        # A user of its own for each sandbox: the kernel counts its processes alone.
        private = number == ISOLATED and bubblewrap.others()
        with _choosing:
            self.owner = _user() if private else 0
            _there.add(self)

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
        """Start the forkserver, which inherits `fd`; its end is the end of all."""
        environment = clean_environment(str(place.scratch))
        command = [sys.executable, "-m", "grader.harness.forkserver", *arguments]
        kept = [fd]
        if self.number == ISOLATED:
            bwrap = shutil.which("bwrap")
            assert bwrap is not None
            environment |= {"PYTHONPATH": bubblewrap.GRADER}
            built = bubblewrap.arguments(
                command,
                [place.scratch],
                [place.sockets],
                _modules(),
                environment,
                self.owner,
            )
            inside = built.index("--")
            given = _file("\0".join(built[:inside]))
            alive, ours = os.pipe()
            command = [
                *(sys.executable, "-IS", guard.__file__, str(alive), str(place.folder)),
                *(bwrap, "--args", str(given), *built[inside:]),
            ]
            kept, environment = [fd, given, alive], {}
            self._alive = ours
        try:
            return await asyncio.create_subprocess_exec(
                *command,
                pass_fds=kept,
                start_new_session=True,  # Ctrl-C in a terminal is not for it
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=place.scratch,
                env=environment,
            )
        finally:
            for each in kept[1:]:
                os.close(each)

    def let_go(self) -> None:
        """Tell the guard, where there is one, that nobody needs the sandbox."""
        if self.number == ISOLATED and self._alive >= 0:
            os.close(self._alive)
            self._alive = -1


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


def _file(text: str) -> int:
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        return os.dup(file.fileno())
