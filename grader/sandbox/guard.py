"""Starts a sandbox, and ends it and its scratch folder when nobody is there for it.

Run as `python -IS guard.py ALIVE FOLDER COMMAND…`: when the other end of the pipe
ALIVE is closed, however that came about, nothing of the sandbox stays.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import runpy
import select
import signal
import sys

MNT_DETACH = 2  # linux/fs.h
ROUNDS = 100  # what is killed may still be writing for a moment


def main() -> None:
    """Start the command with an empty environment, and wait for the pipe's end."""
    alive, folder, *command = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    child = os.fork()
    if not child:
        os.close(int(alive))
        try:
            os.execve(command[0], command, {})
        finally:
            os._exit(127)
    os.dup2(2, 1)  # what is held here never comes to its end
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and name != alive:
            with contextlib.suppress(OSError):
                os.close(int(name))
    ended = os.pidfd_open(child)
    waiting = [int(alive), ended]
    while int(alive) in waiting:
        for ready in select.select(waiting, [], [])[0]:
            waiting.remove(ready)
    os.kill(child, signal.SIGKILL)  # it is ours to wait for, so the pid is still its
    os.waitpid(child, 0)
    scratch = os.path.join(folder, "in")
    if os.path.ismount(scratch):
        ctypes.CDLL(None).umount2(os.fsencode(scratch), MNT_DETACH)
    # No package is in sight of this program, which has nothing but its own file.
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "folders.py")
    remove = runpy.run_path(beside)["remove"]
    for _ in range(ROUNDS):
        remove(folder)
        if not os.path.isdir(folder):
            break


if __name__ == "__main__":
    main()
