"""Becomes a notebook's kernel inside its sandbox: gives up what a kernel must not have.

What a zygote has forked calls it: it becomes another user, raises the walls, copies
the notebook's folder to a home of its own, and runs IPython's kernel.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict

from grader.sandbox import bubblewrap, joining, walls

MIB = 1024 * 1024
TASKS, CPU_S = 256, 300
LIMITS = {
    resource.RLIMIT_AS: 4096 * MIB,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 64 * MIB,
    resource.RLIMIT_NOFILE: 1024,
}


def run(
    arguments: Sequence[str],
    files: Sequence[int],
    host_pid: int,
    problems: dict[str, str],
) -> None:
    """Give up, copy, say so, and be the kernel.

    Args:
        arguments: the user to become (0 changes nothing), the folder of the kernel's
            sockets, the notebook's folder, and the kernel's own arguments.
        files: the pipe that is told `host_pid` once the walls stand.
        host_pid: what the machine calls this process.
        problems: the kernel will say so itself where a library is missing.
    """
    uid, sockets, folder, *kernel = arguments
    walls.become(int(uid))
    joining.drop_capabilities()
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
    os.write(files[0], str(host_pid).encode())
    os.close(files[0])
    for name in [n for n in sys.modules if n.partition(".")[0] == "grader"]:
        del sys.modules[name]  # a notebook imports it anew, from where it is in here
    from ipykernel.kernelapp import launch_new_instance

    sys.argv = ["ipykernel_launcher", *kernel]
    launch_new_instance()
