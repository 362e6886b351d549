"""A notebook's kernel in a sandbox: it runs what learners wrote, and reaches nothing.

Its sockets are in a folder in memory inside. Whoever talks to it reaches that folder
through /proc, so nothing of the machine can be written from inside, not even a socket.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.manager import AsyncKernelManager

from grader.harness.tiers import ISOLATED, Tier
from grader.sandbox import bubblewrap

SOCKETS = "/tmp/.kernel"  # inside
NOTEBOOK = "notebook"  # the folder that is the kernel's own
LAUNCHER = "grader.autograde.inside"
PID = re.compile(rb'"child-pid": (\d+)')
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


class SandboxedKernelManager(AsyncKernelManager):
    """Starts each kernel in a sandbox of its own, with an empty home."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.folder = Path(tempfile.mkdtemp(prefix="grader-kernel-"))
        self.folder.chmod(0o755)
        self.transport = "ipc"
        self.ip = f"{SOCKETS}/s"
        self.connection_file = str(self.folder / "connection.json")
        self._told = -1
        self.inside = 0  # the pid of the sandbox's first process
        self.context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_LIMIT_B)

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """Return the command that starts the kernel in its sandbox."""
        owner = Tier(ISOLATED).owner
        notebook = self.folder / NOTEBOOK
        # The key of the connection is the kernel's to know, whoever it runs as.
        Path(self.connection_file).chmod(0o644)
        command = [sys.executable, "-P", "-m", LAUNCHER]
        command += [str(owner), SOCKETS, str(notebook)]
        command += [sys.executable, "-P", "-m", "ipykernel_launcher"]
        command += ["-f", self.connection_file, *(extra_arguments or [])]
        environment = {**ENVIRONMENT, "PATH": f"{Path(sys.executable).parent}:/usr/bin"}
        modules = (bubblewrap.PACKAGE,)
        arguments = bubblewrap.arguments(
            command, (), (self.folder,), modules, environment, owner
        )
        told = str(self._told)
        return [str(shutil.which("bwrap")), "--info-fd", told, *arguments]

    async def _async_start_kernel(self, *, cwd: str = "/", **options: Any) -> None:
        """Start it, and learn where its sockets are."""
        read, write = os.pipe()
        self._told = write
        try:
            self._copy(Path(cwd))
            await super()._async_start_kernel(
                env={},
                cwd="/",
                pass_fds=(write,),
                stdout=subprocess.DEVNULL,  # a terminal obeys what is written to it
                stderr=subprocess.DEVNULL,
                **options,
            )
        finally:
            os.close(write)
        with os.fdopen(read, "rb") as file:
            said = PID.search(file.readline() + file.readline())
        if said is None:
            raise RuntimeError("the sandbox of the kernel did not start")
        self.inside = int(said[1])
        self.ip = f"/proc/{self.inside}/root{SOCKETS}/s"

    start_kernel = _async_start_kernel

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

    cleanup_resources = _async_cleanup_resources
