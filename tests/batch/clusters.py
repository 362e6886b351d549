"""Dask clusters of a test's own, of separately started processes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tests.batch.classroom import ROOT

# What a worker of the cluster runs first: its judge needs no harness.
PRELOAD = """
from grader.batch import worker
worker.COMMAND = {judge!r}
"""


class Cluster:
    """A scheduler and workers, each a process of its own, as on several machines."""

    def __init__(
        self, folder: Path, judge: list[str] | None, settings: dict[str, str]
    ) -> None:
        self.folder, self.settings = folder, settings
        self.processes: list[subprocess.Popen[str]] = []
        self.preload = PRELOAD.format(judge=judge) if judge else ""
        process = self._start("scheduler", "--port", "0", "--no-dashboard")
        self.address = self._said(process, r"Scheduler at: +(tcp://\S+)")

    def worker(self, more: str = "") -> psutil.Process:
        """Start a worker that runs more, and wait until the scheduler knows it."""
        preload = self.folder / f"preload{len(self.processes)}.py"
        preload.write_text(self.preload + more)
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
        places = ("--preload", str(preload), "--local-directory", str(self.folder))
        process = self._start("worker", self.address, *options, *places)
        self._said(process, r"Registered to: +(tcp://\S+)")
        return psutil.Process(process.pid)

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.settings},
        )
        self.processes.append(process)
        return process

    def _said(self, process: subprocess.Popen[str], pattern: str) -> str:
        """Wait for a line of a log; what follows it is few enough for the pipe."""
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(pattern, line):
                return found[1]
        raise AssertionError(f"the process ended without {pattern}")

    def close(self) -> None:
        """End all of it."""
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate()
