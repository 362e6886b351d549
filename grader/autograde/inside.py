"""The first program inside a kernel's sandbox: gives up what a kernel must not have.

Run as `python -IS inside.py UID SOCKETS FOLDER COMMAND…`, with the standard library
only: becomes UID (0 changes nothing), copies FOLDER to a home of its own, and becomes
COMMAND.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import sys

MIB = 1024 * 1024
PR_SET_NO_NEW_PRIVS = 38  # linux/prctl.h
LIMITS = {
    resource.RLIMIT_AS: 4096 * MIB,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_CPU: 300,  # s of one process
    resource.RLIMIT_FSIZE: 64 * MIB,
    resource.RLIMIT_NOFILE: 1024,
    resource.RLIMIT_NPROC: 256,
}


def main() -> None:
    """Give up, copy, and become the command."""
    uid, sockets, folder, *command = sys.argv[1:]
    if int(uid):
        os.setgroups([])
        os.setresgid(int(uid), int(uid), int(uid))
        os.setresuid(int(uid), int(uid), int(uid))
    if ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        sys.exit("the kernel refused PR_SET_NO_NEW_PRIVS")
    for kind, limit in LIMITS.items():
        _, hard = resource.getrlimit(kind)
        low = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (low, low))
    os.mkdir(sockets, 0o700)
    work = os.path.join(os.environ["HOME"], os.path.basename(folder))
    shutil.copytree(folder, work)
    os.chdir(work)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
