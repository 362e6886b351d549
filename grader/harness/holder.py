"""A process of ours that holds a database, inside the submission's own sandbox."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

from grader.harness.border import parse
from grader.harness.launch import Job, Launched, Launcher, clean_environment
from grader.harness.limits import HELD_FILES_LIMIT, IMPORT_LIMIT_S, STORED_LIMIT_S
from grader.harness.patience import OutOfPatience, within
from grader.sandbox import holding

FUNCTION = {
    "name": "hold",
    "parameters": ["database", "limit_s", "files_limit"],
    "returns": "bool",
}


class Holder:
    """Starts one process for each time that the database is held.

    Its working folder is in `folder`, where no process of the submission writes.
    """

    def __init__(self, database: Path, folder: Path, launcher: Launcher) -> None:
        self._database, self._folder, self._launcher = database, folder, launcher
        self._jobs: list[Job] = []

    def prepare(self, times: int) -> None:
        """Make what is needed to hold it so often, before a submission fills a disk."""
        code = self._folder / "holding.py"
        if times:
            shutil.copyfile(holding.__file__, code)
        for number in range(times):
            cwd = self._folder / f"holds-{number}"
            cwd.mkdir()
            cwd.with_suffix(".log").touch()
            if self._launcher.owner:
                for path in (cwd, cwd.with_suffix(".log")):
                    os.chown(path, self._launcher.owner, self._launcher.owner)
            self._jobs.append(self._job(code, cwd))

    async def hold(self) -> Launched | None:
        """Return what holds the database; None where it cannot be held.

        Raises:
            GraderBroke: no process can be started.
        """
        holder = await self._launcher.start(self._jobs.pop())
        limit_s = IMPORT_LIMIT_S + STORED_LIMIT_S + self._launcher.starting_s
        # A submission may end it, where there is no sandbox: then nothing is held.
        with contextlib.suppress(OutOfPatience, ValueError, ConnectionError):
            if await within(self._asked(holder), limit_s, [holder.host_pid]):
                return holder
        self.release(holder)
        return None

    def release(self, holder: Launched) -> None:
        """End it, and so all that it holds."""
        self._launcher.kill(holder.pid)
        with contextlib.suppress(ConnectionError):
            holder.writer.close()

    def _job(self, code: Path, cwd: Path) -> Job:
        return Job(
            folder=str(code.parent),
            path=str(code),
            cwd=str(cwd),
            log=str(cwd.with_suffix(".log")),
            functions=[FUNCTION],
            environment=clean_environment(str(cwd)),
            shared=[str(self._database.parent)],
            ours=True,
        )

    async def _asked(self, holder: Launched) -> bool:
        args = [str(self._database), STORED_LIMIT_S, HELD_FILES_LIMIT]
        order = {"id": 1, "function": "hold", "args": args, "beside": False}
        await holder.reader.readline()  # it is ready
        holder.writer.write(json.dumps(order).encode() + b"\n")
        reply = parse(await holder.reader.readline())
        return isinstance(reply, dict) and reply.get("value") is True
