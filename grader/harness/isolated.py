"""Starts a sandbox that waits for whoever is to live in it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from grader.harness.launch import GraderBroke
from grader.harness.preloaded import Preloaded
from grader.sandbox import bubblewrap, guard

SANDBOX_LIMIT_S = 60.0  # to start, on a machine that does much else
INFO_B = 4096
# To be read in /proc inside, as bubblewrap's argument: the same, whoever is judging.
GIVEN = 100


class Isolated:
    """One sandbox, its guard, and the order to enter it.

    Attributes:
        alive: held as long as somebody needs the sandbox; see `sandbox/guard`.
        first: the first process inside, as this machine numbers it.
    """

    def __init__(self, built: Sequence[str], folder: Path, output: BinaryIO) -> None:
        self._built, self._folder, self._output = built, folder, output
        self.alive, self.first = -1, -1

    async def entered(
        self, preloaded: Preloaded, order: Mapping[str, Any], fd: int
    ) -> asyncio.subprocess.Process:
        """Start it, and have somebody enter it who is given `fd`; return its guard.

        Raises:
            GraderBroke: there is no sandbox, or nobody to enter it.
        """
        told, info = os.pipe()
        held, life = os.pipe()
        with contextlib.ExitStack() as files:
            for each in (told, life):
                files.callback(os.close, each)
            try:
                process = await self._started(info, held)
            finally:
                os.close(info)
                os.close(held)
            try:
                self.first = await self._ready(process, life, told)
                inside = {**order, "sandbox": self.first}
                preloaded.fork(inside, [fd, self._output.fileno(), life])
            except BaseException:
                process.kill()
                await process.wait()
                raise
        return process

    async def _started(self, info: int, held: int) -> asyncio.subprocess.Process:
        """Start the guard and bubblewrap, and in it what ends when `held` ends."""
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise GraderBroke("expected the command bwrap, found none")
        inside = self._built.index("--")
        given = _file("\0".join(["--info-fd", str(info), *self._built[:inside]]))
        alive, self.alive = os.pipe()
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-IS", guard.__file__, str(alive), str(self._folder)),
                *(bwrap, "--args", str(given), "--", bubblewrap.WAITS),
                pass_fds=[given, alive, info],
                start_new_session=True,  # Ctrl-C in a terminal is not for it
                stdin=held,
                stdout=asyncio.subprocess.PIPE,
                stderr=self._output,
                cwd=self._folder,
                env={},
            )
        finally:
            os.close(given)
            os.close(alive)

    async def _ready(
        self, process: asyncio.subprocess.Process, life: int, told: int
    ) -> int:
        """Return the first process inside, once all is there that it will see."""
        assert process.stdout is not None
        os.write(life, b"\n")
        try:
            reading = process.stdout.read(1)
            answered = await asyncio.wait_for(reading, SANDBOX_LIMIT_S)
        except TimeoutError:
            limit = f"{SANDBOX_LIMIT_S:g} s"
            raise GraderBroke(f"no sandbox was there after {limit}") from None
        if not answered:
            said = Path(self._output.name).read_text("utf-8", "replace")[-500:]
            raise GraderBroke(f"bubblewrap did not start a sandbox: {said.strip()}")
        return int(json.loads(os.read(told, INFO_B))["child-pid"])


def _file(text: str) -> int:
    import fcntl  # there is none on Windows

    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        file.seek(0)
        return fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, GIVEN)
