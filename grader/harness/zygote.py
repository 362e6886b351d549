"""A process that has imported the libraries, and forks whoever lives in a sandbox.

It stands outside of all sandboxes and holds nothing but libraries: no submission, no
check, no secret. What it forks joins a sandbox that is there already, and only then
becomes what it is asked to be.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from grader.harness.preloading import preload
from grader.sandbox import joining

MESSAGE_B = 64 * 1024
FILES = 3  # with each order
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def serve(control: socket.socket, problems: dict[str, str]) -> None:
    """Fork for each order, until nobody is there to give any.

    An order is a JSON object: the `sandbox`'s first process, the `environment`, and
    `becomes`, a `module:function` that is called with its `arguments`, the files that
    came with it, this machine's number for the process, and the `problems`. Or it is
    the `modules` that another zygote has too, which obeys over the file of the order.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # how they end is another's to know
    while True:
        data, files, _, _ = socket.recv_fds(control, MESSAGE_B, FILES)
        if not data:
            return
        if not os.fork():
            control.close()
            order = json.loads(data)
            if "modules" not in order:
                _go_in(order, files, problems)
            control = socket.socket(fileno=files[0])
            problems = {**problems, **preload(order["modules"])}
            continue
        for file in files:
            os.close(file)


def _go_in(
    order: dict[str, Any], files: Sequence[int], problems: dict[str, str]
) -> NoReturn:
    """Join the sandbox and fork who lives in it; then wait for its end, outside.

    The last two of the files are where output goes, and what the sandbox lives by: it
    is closed when that one has ended, and so nothing of the sandbox outlives it.
    """
    *given, output, life = files
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    for target in (1, 2):
        os.dup2(output, target)
    joining.join(order["sandbox"])
    ready, told = os.pipe()
    pid = os.fork()
    if pid:
        joining.drop_capabilities()  # to wait needs none
        for each in given:
            os.close(each)
        os.write(told, str(pid).encode())
        os.close(told)
        os.waitpid(pid, 0)
        os._exit(0)
    os.close(told)
    os.close(life)
    os.close(output)
    with os.fdopen(ready, "rb") as number:
        host_pid = int(number.read())
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    joining.give_up()
    _settle(order["environment"])
    module, _, function = order["becomes"].partition(":")
    become = getattr(importlib.import_module(module), function)
    become(order["arguments"], given, host_pid, problems)
    os._exit(0)


def _settle(environment: dict[str, str]) -> None:
    """Find in the sandbox what was outside, with the environment of inside."""
    os.chdir(environment["HOME"])
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    package = sys.modules["grader"].__path__[0]
    inside = environment["PYTHONPATH"]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "grader" and hasattr(module, "__path__"):
            module.__path__ = [os.path.join(inside, *name.split("."))]
    outside = os.path.dirname(package)
    sys.path[:] = [inside if path == outside else path for path in sys.path]
    sys.path_importer_cache.clear()


def main() -> None:
    """Obey over the file that standard input names, with the arguments' modules."""
    control = socket.socket(fileno=int(sys.stdin.readline()))
    serve(control, preload(sys.argv[1:]))
