"""What it takes to start a worker, whichever way it is started."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from grader.harness.limits import MESSAGE_LIMIT_B

PACKAGE_ROOT = str(Path(__file__).parents[2])


class GraderBroke(Exception):
    """The grader or the machine failed: an `error`, never a learner's zero."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told before it imports the submission; all paths absolute.

    Modules of the packages `reimported` are imported anew, so that they read the
    worker's environment and not the forkserver's. An `application` is served at
    `address`, a socket in the folder `cwd`, or at a port where that is empty. Folders
    that are `shared` may be changed as `cwd` may. One that is started `apart` comes
    from another interpreter than the others, and so has another hash seed. One that is
    `ours` runs nothing of a submission.
    """

    folder: str
    path: str
    cwd: str
    log: str
    functions: Sequence[Mapping[str, Any]]
    environment: Mapping[str, str]
    limit_b: int = MESSAGE_LIMIT_B
    reimported: Sequence[str] = ()
    application: str = ""
    address: str = ""
    shared: Sequence[str] = ()
    apart: bool = False
    ours: bool = False


@dataclass(slots=True)
class Launched:
    """A worker that runs: its pid, its channel, and its exit code once it has one.

    `pid` is what it calls itself; `host_pid` is what this machine calls it, which is
    another number where it is in a sandbox, and -1 where it has ended already.
    """

    pid: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ended: asyncio.Future[int] = field(default_factory=asyncio.Future)
    host_pid: int = -1


@dataclass(frozen=True, slots=True)
class Place:
    """Folders of a harness: what is in `scratch` is for the launched, and so are the
    sockets in `sockets`, to connect to; `port` of loopback is that of the fakes.
    """

    folder: Path
    port: int

    @property
    def scratch(self) -> Path:
        """The runs' folders, which may be changed inside a sandbox too."""
        return self.folder / "in"

    @property
    def sockets(self) -> Path:
        """One socket for each process, found by whoever knows its name."""
        return self.folder / "s"


class Launcher(Protocol):
    """Starts workers, kills one, and leaves nothing behind."""

    @property
    def preload_problems(self) -> Mapping[str, str]: ...
    @property
    def starting_s(self) -> float: ...  # what a start costs before the submission's own

    @property
    def tier(self) -> int: ...  # 1 sandbox, 2 walls only, 3 limits only
    @property
    def origin(self) -> str: ...  # of the forwarder to the sockets, "" without one
    @property
    def owner(self) -> int: ...  # who owns what is given to workers; 0: who we are

    async def open(self, place: Place, modules: Sequence[str]) -> None: ...
    async def start(self, job: Job) -> Launched: ...
    def kill(self, pid: int) -> None: ...
    async def sweep(self, everything: bool) -> int: ...
    def root_pid(self) -> int: ...
    def roots(self) -> Sequence[int]: ...
    def started(self) -> Collection[int]: ...  # workers, as this machine numbers them
    def between(self) -> Sequence[int]: ...  # what passes on bytes to the fakes
    def is_alive(self) -> bool: ...
    async def close(self) -> None: ...


def clean_environment(home: str) -> dict[str, str]:
    """Return what an interpreter needs, and nothing of the user's own."""
    kept = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TZ")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return environment | {
        "HOME": home,
        "TMPDIR": home,
        # Nothing here speaks TLS, and each client would read the system's
        # certificates for 0.02 s: a folder without any.
        "SSL_CERT_DIR": home,
        "PYTHONPATH": PACKAGE_ROOT,
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANGSMITH_TRACING": "false",
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
