"""Runs one command, and ends it with all that it started when its own input ends.

That is when whoever started this has ended too, in whatever way; a server that a
notebook has started must not outlive the notebook's kernel.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading

import psutil

STOP_S = 5.0  # from "end" to SIGKILL


def main(command: list[str]) -> int:
    """Run a command until it ends, or until standard input does."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def hold() -> None:
        # Not by `sys.stdin`: its lock would be held while this interpreter ends.
        while os.read(0, 1):
            pass
        end(server.pid)

    threading.Thread(target=hold, daemon=True).start()
    return server.wait()


def end(pid: int) -> None:
    """End a process as a server is asked to stop, and its children with it."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        process.terminate()
        _, left = psutil.wait_procs(family, timeout=STOP_S)
        for each in left:
            with contextlib.suppress(psutil.Error):
                each.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
