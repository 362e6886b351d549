"""The first program inside a kernel's sandbox: gives up what a kernel must not have.

Run as `python -m grader.autograde.inside UID SOCKETS FOLDER COMMAND…`: becomes UID (0
changes nothing), raises the walls, copies FOLDER to a home of its own, and becomes
COMMAND.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
from dataclasses import asdict

from grader.sandbox import bubblewrap, walls

MIB = 1024 * 1024
TASKS, CPU_S = 256, 300
LIMITS = {
    resource.RLIMIT_AS: 4096 * MIB,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 64 * MIB,
    resource.RLIMIT_NOFILE: 1024,
}


def main() -> None:
    """Give up, copy, and become the command."""
    uid, sockets, folder, *command = sys.argv[1:]
    walls.become(int(uid))
    for kind, limit in LIMITS.items():
        _, hard = resource.getrlimit(kind)
        low = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (low, low))
    os.mkdir(sockets, 0o700)
    work = os.path.join(bubblewrap.HOME, os.path.basename(folder))
    shutil.copytree(folder, work)
    os.chdir(work)
    readable, writable = bubblewrap.readable(), bubblewrap.writable()
    plan = walls.Plan(
        [*readable, os.path.dirname(folder)], writable, None, TASKS, CPU_S
    )
    walls.Walls(asdict(plan)).raise_([], [bubblewrap.HOME])
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
