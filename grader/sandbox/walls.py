"""What a process gives up for good before it imports a submission."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.sandbox import joining, landlock, syscalls

PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE = 38, 4  # linux/prctl.h


@dataclass(frozen=True, slots=True)
class Plan:
    """What stands around each process of a sandbox; all paths absolute.

    Attributes:
        read: what every process may read and execute.
        write: what every process may change too, beside its own folders.
        connect: ports of loopback it may connect to; None where the network is the
            sandbox's own.
        tasks: how many processes and OS threads its user may have; 0 for no limit.
        cpu_s: processor time, in seconds, of one process.
        uid: whom root becomes; 0 where nobody has to become anybody.
    """

    read: Sequence[str]
    write: Sequence[str]
    connect: Sequence[int] | None = None
    tasks: int = 0
    cpu_s: int = 0
    uid: int = 0


class Walls:
    """The walls of a plan, prepared once and raised in each forked process."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.plan = Plan(**plan)
        self._filter = syscalls.build(datagrams=self.plan.connect is None)

    def raise_(self, read: Sequence[str], write: Sequence[str]) -> None:
        """Confine this process: only one OS thread may run in it yet.

        Args:
            read, write: paths beside those of the plan.

        Raises:
            OSError: the kernel refused, so that nothing may be imported here.
        """
        plan = self.plan
        import resource

        for kind, value in (
            (resource.RLIMIT_NPROC, plan.tasks),
            (resource.RLIMIT_CPU, plan.cpu_s),
        ):
            if value:
                _, hard = resource.getrlimit(kind)
                if hard != resource.RLIM_INFINITY:
                    value = min(value, hard)
                resource.setrlimit(kind, (value, value))
        libc = ctypes.CDLL(None)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            raise OSError("the kernel refused PR_SET_NO_NEW_PRIVS")
        joining.drop_capabilities()
        landlock.restrict([*plan.read, *read], [*plan.write, *write], plan.connect)
        self._filter.load()


def become(uid: int) -> None:
    """Give up root for a user that owns nothing; 0 changes nothing."""
    if uid in (0, os.getuid()):
        return
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    # Whoever changes its user is closed to itself too, in /proc.
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def available() -> str:
    """Return why there are no such walls on this machine, or "" where there are."""
    if sys.platform != "linux":
        return "Landlock and seccomp are Linux's own"
    found = landlock.version()
    if found < landlock.SIGNAL_SCOPE_ABI:
        wanted = landlock.SIGNAL_SCOPE_ABI
        return f"expected Landlock {wanted} (Linux 6.12), found {found}"
    with contextlib.suppress(ImportError, OSError, RuntimeError):
        syscalls.build(datagrams=True)
        return ""
    return "expected libseccomp, found none"
