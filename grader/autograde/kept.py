"""One trusted process for a whole command; a harness of its own for each author."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from grader.client import Client, ServiceGone
from grader.harness.launchers import handed_on, shared
from grader.harness.preloaded import PRELOAD, Preloaded

INSIDE = "grader.autograde.inside"  # what a zygote becomes to be a kernel
KERNEL = (INSIDE, *PRELOAD, "ipykernel.kernelapp", "ipykernel.ipkernel")
IDLE_S = 10.0  # without a submission; a Jupyter server grades now and then


class Kept:
    """A service that opens a new harness for whoever comes next.

    What opening one costs are imports, of the process that judges and of its zygote,
    which no submission touches; the sandbox and all in it are made anew. Notebooks'
    kernels are forked from `kernels`, a zygote too; one has forked both of these.
    """

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._base = shared()
        self._client = Client(lambda: handed_on(self._base))
        self.kernels = Preloaded(KERNEL, self._base)
        self._turn = threading.Lock()
        self._idle_s = idle_s
        self._timer: threading.Timer | None = None
        # Without the lock: whoever still waits for an answer is not waited for.
        atexit.register(self._client.close)

    @contextmanager
    def fresh(self) -> Iterator[Client]:
        """Lend the service with a harness that has judged nothing yet."""
        with self._turn:
            if self._timer is not None:
                self._timer.cancel()
            self._renew()
            try:
                yield self._client
            finally:
                self._timer = threading.Timer(self._idle_s, self.close)
                self._timer.daemon = True
                self._timer.start()

    def close(self) -> None:
        """End the service, and all that it started, until it is needed again."""
        with self._turn:
            self._client.close()
            self.kernels.close()
            self._base.close()

    def _renew(self) -> None:
        try:
            broken = "error" in self._client.ask("fresh")
        except ServiceGone:
            broken = True
        if broken:
            self._client.close()  # the next question starts another
