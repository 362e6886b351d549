"""The application under the real `uvicorn app:api --workers N`, and what it logs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from grader import locked
from grader.oncall.lines import CONFIG
from grader.vocabulary.modules import divide

PACKAGE = Path(__file__).parents[2]
START_LIMIT_S = 120.0  # four interpreters that import everything, on a crowded machine
END_LIMIT_S = 30.0
HEALTH_S = 20  # uvicorn's patience with a worker that is busy importing
URL = re.compile(r"running on (http://\S+)")
STARTED = "Application startup complete."


class NotStarted(Exception):
    """The server did not start; its text is the end of what it said."""


class Server:
    """Serves one submission while it is entered.

    Args:
        text: the submission.
        workers: how many processes uvicorn starts.
        environment: what they are told beside this process's own variables.

    Attributes:
        url: where it listens.
        lines: what it has logged; complete once it is left.
        said: what it printed that is no such line.
    """

    def __init__(self, text: str, workers: int, environment: Mapping[str, str]) -> None:
        self.url, self.workers = "", workers
        self.lines: list[dict[str, Any]] = []
        self.said: list[str] = []
        self._modules = divide(text)
        self._environment = {**os.environ, **environment}
        self._changed = threading.Condition()
        self._over = False

    def __enter__(self) -> Server:
        self._folder = locked.kept()
        folder = self._folder.__enter__()
        for module in self._modules:
            (folder / module.file).write_text(module.text, "utf-8", "surrogatepass")
        config = folder / "log.json"
        config.write_text(json.dumps(CONFIG), "utf-8")
        uvicorn = f"uvicorn {self._modules[0].name}:api --workers {self.workers} "
        uvicorn += f"--port 0 --timeout-worker-healthcheck {HEALTH_S} --log-config"
        command = [sys.executable, "-P", "-m", "grader.oncall.leash", sys.executable]
        self._process = subprocess.Popen(
            [*command, "-m", *uvicorn.split(), str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=self._environment | {"PYTHONPATH": str(PACKAGE)},
            start_new_session=True,  # an interrupt of the kernel is not for it
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=[self._process.stdout])
        self._reader.start()
        with self._changed:
            self._changed.wait_for(
                lambda: self._over or self._ready or self._failed, START_LIMIT_S
            )
        if not self._ready:
            self.__exit__()
            raise NotStarted("\n".join(self.said[-5:]) or "it said nothing")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(END_LIMIT_S)
        finally:
            self._process.kill()
            self._reader.join(END_LIMIT_S)
            self._folder.__exit__(None, None, None)

    @property
    def _ready(self) -> bool:
        started = [line for line in self.lines if line.get("message") == STARTED]
        return bool(self.url) and len(started) >= self.workers

    @property
    def _failed(self) -> bool:
        """Whether a process has said to its end why it cannot be imported.

        uvicorn starts such a process again, for ever.
        """
        starts = [n for n, line in enumerate(self.said) if line.startswith("Traceback")]
        after = self.said[starts[0] + 1 :] if starts else []
        return any(not line.startswith(" ") for line in after)

    def _read(self, output: IO[bytes]) -> None:
        for raw in output:
            text = raw.decode("utf-8", "replace").rstrip()
            try:
                line = json.loads(text)
                found = URL.search(str(line.get("message", "")))
            except (ValueError, AttributeError):
                line, found = None, None
            with self._changed:
                if line is None:
                    self.said.append(text)
                else:
                    self.lines.append(line)
                self.url = found[1] if found else self.url
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()
