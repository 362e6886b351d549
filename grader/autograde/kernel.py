"""A notebook's kernel in a sandbox: it runs what learners wrote, and reaches nothing.

Its sockets are in a folder in memory inside. Whoever talks to it reaches that folder
through /proc, so nothing of the machine can be written from inside, not even a socket.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.manager import AsyncKernelManager

from grader.autograde.judging import kept
from grader.autograde.kept import INSIDE
from grader.harness.stale import KERNEL, remove_stale
from grader.harness.tiers import ISOLATED, Tier
from grader.locked import make
from grader.sandbox import bubblewrap

SOCKETS = "/tmp/.kernel"  # inside
NOTEBOOK = "notebook"  # the folder that is the kernel's own
INFO_B = 4096  # of what bubblewrap says of itself
MESSAGE_LIMIT_B = 16 * 1024 * 1024  # a kernel that says more at once is cut off
ENVIRONMENT = {
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": bubblewrap.GRADER,
    "PYTHONSAFEPATH": "1",
    "NBGRADER_EXECUTION": "autograde",
    "GRADER_JUDGED_OUTSIDE": "1",
}


class Pipe:
    """A pipe that is closed when it is left."""

    def __enter__(self) -> Pipe:
        self.read, self.write = os.pipe()
        return self

    def __exit__(self, *raised: object) -> None:
        os.close(self.read)
        self.said()

    def said(self) -> None:
        """Close the end that is written to, if it is open."""
        if self.write >= 0:
            os.close(self.write)
        self.write = -1


class SandboxedKernelManager(AsyncKernelManager):
    """Starts each kernel in a sandbox of its own, with an empty home."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        parent = Path(tempfile.gettempdir())
        remove_stale(parent, KERNEL)
        self.folder, self._lock = make(parent, KERNEL)
        self.folder.chmod(0o755)
        self.transport = "ipc"
        self.ip = f"{SOCKETS}/s"
        self.connection_file = str(self.folder / "connection.json")
        self._info, self._extra = -1, [""]
        self._around = Tier(ISOLATED)  # whose user nobody else has meanwhile
        self.inside = 0  # the pid of the sandbox's first process
        self.pid = 0  # the kernel's

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """Return the command that makes the sandbox; what waits in it ends with us."""
        # The key of the connection is the kernel's to know, whoever it runs as.
        Path(self.connection_file).chmod(0o644)
        self._extra = list(extra_arguments or [])
        modules = (bubblewrap.PACKAGE,)
        arguments = bubblewrap.arguments(
            [bubblewrap.WAITS],
            (),
            (self.folder,),
            modules,
            ENVIRONMENT,
            bool(self._around.owner),
        )
        return [str(shutil.which("bwrap")), "--info-fd", str(self._info), *arguments]

    async def _async_start_kernel(self, *, cwd: str = "/", **options: Any) -> None:
        """Start it, and learn where its sockets are."""
        kept.kernels.start()  # to import beside what follows
        with contextlib.ExitStack() as files:
            told, held, entered = (files.enter_context(Pipe()) for _ in range(3))
            self._info = told.write
            self._copy(Path(cwd))
            await super()._async_start_kernel(
                env={},
                cwd="/",
                pass_fds=(told.write,),
                stdin=held.read,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                **options,
            )
            os.write(held.write, b"\n")
            process = self.provisioner.process  # type: ignore[union-attr]
            if not process.stdout.read(1):
                raise RuntimeError("the sandbox of the kernel did not start")
            self.inside = json.loads(os.read(told.read, INFO_B))["child-pid"]
            with open(os.devnull, "wb") as nowhere:  # a terminal obeys what it is sent
                given = [entered.write, nowhere.fileno(), held.write]
                kept.kernels.fork(self._order(), given)
            entered.said()
            said = os.read(entered.read, INFO_B)
        if not said:
            raise RuntimeError("the kernel did not enter its sandbox")
        self.pid = int(said)
        self.ip = f"/proc/{self.inside}/root{SOCKETS}/s"

    start_kernel = _async_start_kernel

    def client(self, **options: Any) -> Any:
        """Return who talks to the kernel, and takes no message above the limit."""
        made = super().client(**options)
        made.context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_LIMIT_B)
        return made

    def _order(self) -> dict[str, Any]:
        """Return what the zygote is told: to become this kernel in its sandbox."""
        kernel = ["-f", self.connection_file, *self._extra]
        folder = str(self.folder / NOTEBOOK)
        path = f"{Path(sys.executable).parent}:/usr/bin"
        return {
            "sandbox": self.inside,
            "becomes": f"{INSIDE}:run",
            "arguments": [str(self._around.owner), SOCKETS, folder, *kernel],
            "environment": {**ENVIRONMENT, "PATH": path},
        }

    def _copy(self, folder: Path) -> None:
        """Copy what stands beside the notebook, for whoever the kernel runs as."""
        copied = self.folder / NOTEBOOK
        shutil.copytree(folder, copied, copy_function=shutil.copyfile)
        for path in (copied, *copied.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        """Remove what this kernel needed."""
        await super()._async_cleanup_resources(restart)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    cleanup_resources = _async_cleanup_resources
