"""Workers in fresh interpreters: slower, and on every platform."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

from grader.harness.launch import Job, Launched, Place
from grader.harness.limits import STARTING_LIMIT_S


class SpawnLauncher:
    """Workers in fresh interpreters: slower, and on every platform."""

    starting_s = STARTING_LIMIT_S
    tier, origin, owner = 3, "", 0

    def __init__(self) -> None:
        self.preload_problems: Mapping[str, str] = {}
        self._running: dict[int, asyncio.subprocess.Process] = {}

    async def open(self, place: Place, modules: Sequence[str]) -> None:
        """Nothing is preloaded."""

    async def start(self, job: Job) -> Launched:
        """Start a fresh interpreter that imports the submission."""
        order = asdict(job)
        environment = order.pop("environment")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "grader.harness.spawned", json.dumps(order)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            limit=job.limit_b,
            start_new_session=sys.platform != "win32",
        )
        assert process.stdout is not None
        assert process.stdin is not None
        ended = asyncio.ensure_future(process.wait())
        self._running[process.pid] = process
        pid = process.pid
        return Launched(pid, process.stdout, process.stdin, ended, pid)

    def kill(self, pid: int) -> None:
        """End a worker and its descendants."""
        import psutil

        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(pid)
            for process in [top, *top.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    async def sweep(self, everything: bool) -> int:
        """End all workers; orphans of a worker that ended cannot be found here."""
        if everything:
            for pid, process in list(self._running.items()):
                if process.returncode is None:
                    self.kill(pid)
                    await process.wait()
            self._running.clear()
        return 0

    def root_pid(self) -> int:
        """Return the process all workers descend from."""
        return os.getpid()

    def roots(self) -> Sequence[int]:
        """Return the workers: what else descends from that process is another's."""
        return list(self._running)

    def started(self) -> Collection[int]:
        """Return the workers."""
        return self._running.keys()

    def between(self) -> Sequence[int]:
        """Return nothing: the fakes are asked directly."""
        return ()

    def is_alive(self) -> bool:
        """Return True: there is nothing that could end by itself."""
        return True

    async def close(self) -> None:
        """End all workers."""
        await self.sweep(everything=True)
