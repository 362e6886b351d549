"""The supervisor's end of a zygote: has it fork into sandboxes."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from types import TracebackType
from typing import Any

from grader.harness.launch import GraderBroke, clean_environment
from grader.harness.zygote import MESSAGE_B

# What it is started with is to be read in /proc by whatever it has forked: so it is
# told in another way where the grader is, on a machine that is nobody's business, and
# which file it obeys, whose number would tell who is judging.
ZYGOTE = """
import sys
sys.path.insert(0, sys.stdin.readline().rstrip(chr(10)))
from grader.harness.zygote import main
main()
"""
PRELOAD = (
    "langgraph.graph",
    "langgraph.graph.message",
    "langgraph.prebuilt",
    "langgraph.types",
    "langgraph.checkpoint.memory",
    "langgraph.checkpoint.sqlite",
    "langgraph.checkpoint.sqlite.aio",
    "langgraph.checkpoint.postgres.aio",
    "psycopg_pool",
    "langchain_openai",
    "langchain_core.prompts",
    "openai.resources.chat.completions",
    "httpx",
    "httpcore",  # which httpx imports for its first client,
    "anyio._backends._asyncio",  # which a server does for its first request
    "fastapi",
    "grader.harness.serving:rehearse",
    "grader.harness.worker",
    "grader.harness.rehearsal:rehearse",
)
NOWHERE = "/nonexistent"  # the home of nobody, as Debian calls it
END_LIMIT_S = 1.0  # for one that imports what others have not


class Preloaded:
    """A zygote with these modules, started when it is first needed, or has ended.

    Whoever has made it ends it; that ends nobody whom it has forked. There is another
    one of the kind, for whoever needs an interpreter with another hash seed.

    Args:
        modules: what it imports, as `preloading.preload` knows them.
        base: the one that forks it, so that it imports only what that one has not.
        control: what a zygote with these modules obeys, to begin with.
    """

    def __init__(
        self,
        modules: Sequence[str],
        base: Preloaded | None = None,
        control: socket.socket | None = None,
    ) -> None:
        self._modules, self._base = list(modules), base
        self._lock = threading.Lock()
        self._control = control
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, without waiting until it is ready."""
        with self._lock:
            self._started()

    def fork(self, order: Mapping[str, Any], files: Sequence[int]) -> None:
        """Have it fork; see `zygote.serve` for what is in an order.

        Raises:
            GraderBroke: it cannot be reached.
        """
        data = json.dumps(order).encode()
        if len(data) > MESSAGE_B:
            raise GraderBroke(f"an order of {len(data)} bytes is too long")
        with self._lock:
            try:
                socket.send_fds(self._started(), [data], files)
            except OSError as problem:
                raise GraderBroke("the zygote has ended") from problem

    def branch(self, modules: Sequence[str] = ()) -> socket.socket:
        """Have it fork a zygote, with these modules too; return what that obeys.

        Raises:
            GraderBroke: it cannot be reached.
        """
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self.fork({"modules": list(modules)}, [theirs.fileno()])
            except BaseException:
                ours.close()
                raise
        return ours

    @cached_property
    def another(self) -> Preloaded:
        """Another interpreter, with the same modules; it ends with this one."""
        return Preloaded(self._modules)

    def close(self) -> None:
        """End it."""
        if "another" in vars(self):
            self.another.close()
        with self._lock:
            self._end()

    def __enter__(self) -> Preloaded:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _started(self) -> socket.socket:
        if self._control is not None and select.select([self._control], [], [], 0)[0]:
            self._end()  # it says nothing ever, so this is its end
        if self._control is None and self._base is not None:
            known = self._base._modules
            lacking = [name for name in self._modules if name not in known]
            self._control = self._base.branch(lacking)
        elif self._control is None:
            self._control = self._executed()
        return self._control

    def _executed(self) -> socket.socket:
        environment = clean_environment(NOWHERE) | {"PATH": os.defpath}
        package = environment.pop("PYTHONPATH")
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", ZYGOTE, *self._modules],
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C in a terminal is not for it
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment,
            )
            assert self._process.stdin is not None
            with self._process.stdin as told:
                told.write(os.fsencode(f"{package}\n{theirs.fileno()}\n"))
        return ours

    def _end(self) -> None:
        if self._control is None:
            return
        with self._control as control:
            if self._process is not None:
                self._process.kill()  # it may be importing still; nothing is lost
                self._process.wait()
            else:
                with suppress(OSError):  # it is not our child, but says when it ends
                    control.shutdown(socket.SHUT_WR)
                    select.select([control], [], [], END_LIMIT_S)
        self._process = self._control = None
