"""A process that has imported the libraries, and forks workers that have them too.

It imports nothing of a learner's. It also is the guard of a run: every descendant of
a worker becomes its child when orphaned (a subreaper), and when its supervisor goes
away, however that happened, it ends them all, removes the scratch folder and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from typing import Any

from grader.harness.descendants import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_PDEATHSIG,
    children,
    prctl,
)
from grader.harness.forked import work
from grader.harness.limits import SWEEP_LIMIT_S
from grader.harness.preloading import preload
from grader.harness.worker import quiet
from grader.sandbox import folders, forwarder, mounts
from grader.sandbox.joining import drop_capabilities
from grader.sandbox.walls import Walls, become

MESSAGE_B = 64 * 1024
SWEEP_PAUSE_S = 0.01


class Forkserver:
    """Obeys one supervisor over `control`, a stream of JSON lines with sockets."""

    def __init__(
        self, control: socket.socket, folder: str, emptied: Sequence[str] = ()
    ) -> None:
        self.control, self.folder, self.emptied = control, folder, emptied
        self.workers: set[int] = set()
        self.ours: set[int] = set()  # of these, who runs nothing of a submission
        self.ended: list[tuple[int, int]] = []  # pid and exit code, to be told
        self.kept: set[int] = set()  # our own processes, which no sweep ends
        self.wake, self.wake_in = os.pipe()
        os.set_blocking(self.wake_in, False)
        os.set_blocking(self.wake, False)
        signal.set_wakeup_fd(self.wake_in, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> tuple[dict[str, Any], socket.socket] | None:
        """Obey until the supervisor is gone; in a child, return order and channel."""
        pending, channels = b"", []
        while True:
            sources: list[Any] = [self.control, self.wake]
            ready, _, _ = select.select(sources, [], [])
            if self.wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self.wake, 4096)
                self.reap()
                self.report()
            if self.control not in ready:
                continue
            try:
                data, fds, _, _ = socket.recv_fds(self.control, MESSAGE_B, 1)
            except ConnectionError:
                data, fds = b"", []
            if not data:
                self.kept.clear()
                self.sweep(everything=True)
                if self.folder:  # the second forkserver has none
                    mounts.release(os.path.join(self.folder, "in"))
                    folders.remove(self.folder)
                return None
            channels += [socket.socket(fileno=fd) for fd in fds]
            *lines, pending = (pending + data).split(b"\n")
            for order in map(json.loads, lines):
                if order["do"] not in ("fork", "nursery"):
                    self.obey(order)
                    continue
                channel = channels.pop(0)
                if not self.fork(order):
                    return order, channel
                channel.close()

    def fork(self, order: dict[str, Any]) -> bool:
        """Fork; return whether this is still the forkserver."""
        parent = os.getpid()
        pid = os.fork()
        if pid:
            (self.workers if order["do"] == "fork" else self.kept).add(pid)
            if order.get("ours"):
                self.ours.add(pid)
            self.tell({"number": order["number"], "forked": pid})
            return True
        self.leave(parent)
        return False

    def forward(self, folder: str) -> int:
        """Start the forwarder to the sockets in a folder; return its port."""
        parent, (ready, told) = os.getpid(), os.pipe()
        pid = os.fork()
        if not pid:
            self.leave(parent)
            os.close(ready)
            quiet(lambda: forwarder.serve(folder, told))
            os._exit(1)
        os.close(told)
        self.kept.add(pid)
        with os.fdopen(ready, "rb") as port:
            return int(port.read())

    def leave(self, parent: int) -> None:
        """Become a process of its own in a forked child."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.control.close()
        os.close(self.wake)  # a submission that reads it would hide a child's end
        os.close(self.wake_in)
        os.setsid()
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    def obey(self, order: dict[str, Any]) -> None:
        """Kill one worker's process group or everything that is left, or say a word."""
        if order["do"] == "kill" and order["pid"] in self.workers:
            os.kill(order["pid"], signal.SIGKILL)  # it may not lead a group yet
            with contextlib.suppress(ProcessLookupError):
                os.killpg(order["pid"], signal.SIGKILL)
        elif order["do"] == "sweep":
            left = self.sweep(everything=order["everything"])
            if order["everything"]:
                for folder in self.emptied:  # of what one run would leave the next
                    folders.empty(folder)
            self.report()
            self.tell({"number": order["number"], "swept": left})
        elif order["do"] == "answer":
            self.tell({"number": order["number"]})

    def sweep(self, everything: bool) -> int:
        """End all orphans, with `everything` all workers too; return how many stay."""
        deadline = time.monotonic() + SWEEP_LIMIT_S
        while True:
            spared = self.kept if everything else self.kept | self.workers
            doomed = [pid for pid in children() if pid not in spared]
            if not doomed or time.monotonic() > deadline:
                return len(doomed)
            for stop in (signal.SIGSTOP, signal.SIGKILL):  # a fork bomb must not race
                for pid in doomed:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, stop)
            self.reap()
            if {*children()} - spared == {*doomed}:  # a disk may hold one up
                select.select([self.wake], [], [], SWEEP_PAUSE_S)

    def reap(self) -> None:
        """Report every child that ended."""
        with contextlib.suppress(ChildProcessError):
            while self.reaped(-1, os.WNOHANG):
                pass

    def reaped(self, pid: int, options: int) -> bool:
        try:
            pid, status = os.waitpid(pid, options)
        except ChildProcessError:
            return False
        if pid in self.workers:
            self.workers.discard(pid)
            self.ended.append((pid, os.waitstatus_to_exitcode(status)))
        if pid in self.kept:  # without it the next submission would seem to hang
            self.control.shutdown(socket.SHUT_RDWR)  # and so all of it ends
        return pid != 0

    def report(self) -> None:
        """Say which workers have ended, once no daemon can remember for them."""
        if any(pid not in self.ours for pid, _ in self.ended):
            self.sweep(everything=False)
        for pid, code in self.ended:
            self.tell({"ended": pid, "code": code})
        self.ended.clear()

    def tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # a supervisor that is gone hears nothing
            self.control.sendall(json.dumps(message).encode() + b"\n")


def main() -> None:
    """Run as `python -m grader.harness.forkserver FD FOLDER SETTINGS MODULE…`.

    SETTINGS is JSON: the `plan` of the walls, if there are any, and the folder of the
    `sockets` that a forwarder serves, if that is needed, and folders to be `emptied`
    after each run.
    """
    fd, *arguments = sys.argv[1:]
    _, settings, *modules = arguments
    plan = json.loads(settings)["plan"]
    if plan is not None:
        become(plan["uid"])
    run(arguments, [int(fd)], os.getpid(), preload(modules))


def run(
    arguments: Sequence[str],
    files: Sequence[int],
    host_pid: int,
    problems: dict[str, str],
) -> None:
    """Be a forkserver, or what it has forked; the libraries are imported.

    The arguments are those of `main`, without the first; orders come over the one
    file. What the machine calls this process, and what could not be imported, is told.
    """
    folder, settings, *modules = arguments
    given = json.loads(settings)
    plan, sockets = given["plan"], given["sockets"]
    if plan is not None:
        become(plan["uid"])
        drop_capabilities()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    server = Forkserver(socket.socket(fileno=files[0]), folder, given["emptied"])
    port = server.forward(sockets) if sockets else None
    walls = None if plan is None else Walls(plan)
    server.tell({"host_pid": host_pid, "problems": problems, "port": port})
    job = server.serve()
    if job is not None and job[0]["do"] == "nursery":
        start_apart(job[1], {**given, "sockets": "", "emptied": []}, modules)
    elif job is not None:
        work(job[1], walls)


def start_apart(
    control: socket.socket, given: dict[str, Any], modules: list[str]
) -> None:
    """Become a second forkserver, a new interpreter that draws its own hash seed."""
    os.set_inheritable(control.fileno(), True)
    arguments = [str(control.fileno()), "", json.dumps(given), *modules]
    program = [sys.executable, "-m", "grader.harness.forkserver", *arguments]
    os.execv(sys.executable, program)


if __name__ == "__main__":
    main()
