"""The kernel's end of the line to the service."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# For an answer. What is judged takes seconds, and its own limits end it long before
# this one, which is for a defect of ours.
ANSWER_LIMIT_S = 900.0
GOODBYE_S = 5.0
ENDED = "the grader's process has ended"


class ServiceGone(Exception):
    """The service ended before it answered: the grader or the machine broke."""


class Client:
    """Starts the service when it is first needed, and again when it has ended.

    One that has not answered within `limit_s` is ended. `zygote` returns what a zygote
    obeys that the service may have, if there is one.
    """

    def __init__(self, zygote: Callable[[], socket.socket | None] = lambda: None):
        self.limit_s = ANSWER_LIMIT_S
        self._zygote = zygote
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._asked = 0
        self._environment: dict[str, str] = {}

    def warm_up(self) -> None:
        """Start the service without waiting for it."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            package = Path(__file__).parents[1]
            # That of the first start: a playground changes the kernel's own.
            self._environment = self._environment or dict(os.environ)
            path = {"PYTHONPATH": str(package), "PYTHONSAFEPATH": "1"}
            control = self._zygote()
            with control or contextlib.nullcontext():
                given = [] if control is None else [control.fileno()]
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "grader.service", *map(str, given)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # an interrupt of the kernel is not for it
                    pass_fds=given,
                    env=self._environment | path,
                )

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Return the service's answer to one request.

        Raises:
            ServiceGone: the service ended before it answered, or said nothing too long.
            KeyboardInterrupt: the wait was interrupted; the run was ended first.
        """
        with self._lock:
            self.warm_up()
            self._asked += 1
            number = self._asked
            try:
                self._send({"id": number, "do": do, **request})
                return self._receive(number)
            except KeyboardInterrupt:
                # A line that was read in part is no JSON any more: ValueError.
                with contextlib.suppress(ServiceGone, KeyboardInterrupt, ValueError):
                    self._send({"id": number, "do": "cancel"})
                    self._receive(number)
                raise

    @property
    def pid(self) -> int | None:
        """The service's process, if it runs."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the service and all that it started.

        Another OS thread may do so meanwhile: at the end of a program, the timer of
        one that nobody has needed for a while.
        """
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _send(self, message: dict[str, Any]) -> None:
        process, line = self._process, json.dumps(message).encode() + b"\n"
        if process is None or process.stdin is None:
            raise ServiceGone(ENDED)
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except (OSError, ValueError) as problem:  # it ended, or was closed meanwhile
            raise ServiceGone(ENDED) from problem

    def _receive(self, number: int) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdout is None:
            raise ServiceGone(ENDED)
        deadline = time.monotonic() + self.limit_s
        late = threading.Timer(self.limit_s, process.kill)
        late.daemon = True
        late.start()
        try:
            while line := process.stdout.readline():
                answer: dict[str, Any] = json.loads(line)
                if answer["id"] == number:
                    return answer
        finally:
            late.cancel()
        code = process.wait()
        if time.monotonic() >= deadline:
            raise ServiceGone(f"the grader gave no answer for {self.limit_s:g} s")
        raise ServiceGone(f"the grader's process ended with exit code {code}")
