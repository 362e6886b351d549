"""What a forked child does to become a worker, and how it ends."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import sys
import threading

from grader.harness.enclosure import confine
from grader.harness.worker import Worker, quiet
from grader.sandbox.walls import Walls

# Where programs and modules are, which in a sandbox is not where they are outside.
PLACES = ("PATH", "PYTHONPATH")


def work(channel: socket.socket, walls: Walls | None) -> None:
    """Become the worker that the first line of its channel describes."""
    reader, writer = channel.makefile("rb"), channel.makefile("wb")
    line = reader.readline()
    if not line:  # whoever wanted it has gone
        return
    order = json.loads(line)
    confine(order["log"], order["cwd"])
    environment = order["environment"]
    own = {name: os.environ[name] for name in PLACES if name in environment}
    os.environ.clear()
    os.environ.update({**environment, **own})
    if walls is not None:
        walls.raise_([order["folder"]], [order["cwd"], *order["shared"]])
    forget(order["reimported"])
    worker = Worker(reader, writer, order["path"], order["functions"], order["limit_b"])
    quiet(lambda: worker.run(order["folder"], order["application"], order["address"]))
    finish()


def forget(packages: list[str]) -> None:
    """Let modules of these packages be imported anew, at 0.05 s for LangGraph's.

    Nothing else that is preloaded refers to them, so what a submission imports then
    is what a fresh interpreter imports.
    """
    if not packages:
        return  # to touch every name is to copy a thousand pages
    for name in list(sys.modules):
        if name.partition(".")[0] in packages:
            del sys.modules[name]


def finish() -> None:
    """End as an interpreter does, without taking every imported module apart.

    That would cost 0.2 s of CPU each time; what a program can notice is done: its
    OS threads are awaited and its exit functions run.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)
