"""What the canary tries inside: a submission that attacks, and says what it got.

Each attack is aimed at a decoy of the canary's own or does nothing where it succeeds,
so a machine without walls is unharmed. It is imported as a submission is, and must
not need anything of the grader.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import socket
import sys
from collections.abc import Callable
from typing import Any

CLONE_NEWUSER = 0x10000000
AF_VSOCK = 40
MPTCP = 262  # linux/in.h
MSG_FASTOPEN = 0x20000000  # linux/socket.h
NEEDED = {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0000000000000000"}
libc = ctypes.CDLL(None, use_errno=True)


def attempt(decoys: dict[str, Any]) -> dict[str, str]:
    """Try each attack; return what came of those that got through."""
    victim, parent = decoys["victim"], os.getppid()
    attacks: dict[str, Callable[[], Any]] = {
        "read the grader's files": lambda: looked(decoys["secret"]),
        "list the sockets of others": lambda: os.listdir(decoys["sockets"]),
        "write beside its own folders": lambda: changed(
            decoys["folder"] + "/new", os.O_CREAT
        ),
        "change what is installed": lambda: changed(sys.prefix + "/pyvenv.cfg", 0),
        "signal another process": lambda: os.kill(victim, 0),
        "signal its parent": lambda: os.kill(parent, 0),
        "signal the grader": lambda: signalled(decoys["pid"]),
        "read another's memory": lambda: looked(f"/proc/{victim}/mem"),
        "read its parent's memory": lambda: looked(f"/proc/{parent}/mem"),
        "read its parent's environment": lambda: looked(f"/proc/{parent}/environ"),
        "connect to the machine": lambda: connected(socket.AF_INET, decoys["tcp"]),
        "connect to the machine by several paths": lambda: connected(
            socket.AF_INET, decoys["tcp"], MPTCP
        ),
        "say something to the machine at once": lambda: said(decoys["tcp"]),
        "have another process wait": lambda: os.setpriority(
            os.PRIO_PROCESS, victim, os.getpriority(os.PRIO_PROCESS, victim)
        ),
        "connect to an abstract socket": lambda: connected(
            socket.AF_UNIX, "\0" + decoys["abstract"]
        ),
        "connect to a socket with a path": lambda: connected(
            socket.AF_UNIX, decoys["socket"]
        ),
        "read others' shared memory": lambda: looked(decoys["shared"]),
        "list the machine's devices": lambda: os.listdir("/dev"),
        "send a datagram": lambda: sent(decoys["udp"]),
        "open a socket to the host": lambda: socket.socket(AF_VSOCK).close(),
        "make a user namespace": lambda: refused(libc.unshare(CLONE_NEWUSER)),
        "mount": lambda: refused(libc.mount(b"none", b"/none", b"tmpfs", 0, None)),
        "copy memory between processes": lambda: refused(
            libc.process_vm_readv(os.getpid(), None, 0, None, 0, 0)
        ),
        "be without walls": lambda: bare(),
        "be root": lambda: is_root(),
        "see the machine's processes": lambda: same(decoys["pid"]),
        "fork without a limit": lambda: unlimited(),
    }
    through = {}
    for name, attack in attacks.items():
        try:
            through[name] = repr(attack())[:80]
        except (OSError, ValueError, OverflowError):
            continue
    return through


class Stopped(OSError):
    """An attack came to nothing."""


def looked(path: str) -> None:
    """Open a file as its reader would."""
    os.close(os.open(path, os.O_RDONLY))


def changed(path: str, create: int) -> None:
    """Open a file as who changes it would, and change nothing."""
    os.close(os.open(path, os.O_WRONLY | create, 0o600))


def signalled(pid: int) -> None:
    """Send the grader no signal, as who may send one can."""
    same(pid)
    os.kill(pid, 0)


def is_root() -> None:
    """Raise where this is nobody."""
    if os.getuid():
        raise Stopped


def refused(result: int) -> str:
    """Raise where the call was forbidden; other errors mean that it was looked at."""
    code = ctypes.get_errno()
    if result < 0 and code in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        raise Stopped
    return errno.errorcode.get(code, "done") if result < 0 else "done"


def connected(family: int, address: Any, protocol: int = 0) -> None:
    """Connect to a decoy."""
    target = ("127.0.0.1", address) if family == socket.AF_INET else address
    with socket.socket(family, socket.SOCK_STREAM, protocol) as client:
        client.settimeout(2)
        client.connect(target)


def said(port: int) -> None:
    """Begin a connection with what is said in it."""
    with socket.socket() as client:
        client.settimeout(2)
        client.sendto(b"canary", MSG_FASTOPEN, ("127.0.0.1", port))


def sent(port: int) -> str:
    """Send a datagram; whether it came, its receiver knows."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"canary", ("127.0.0.1", port))
    return "sent"


def same(pid: int) -> None:
    """Raise where the grader's number is nobody's in here, or another process's."""
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        if b"python" not in file.read():
            raise Stopped


def bare() -> str:
    """Raise where this process has its walls."""
    with open("/proc/self/status", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file if ":" in line)
    missing = [k for k, v in NEEDED.items() if lines.get(k, "").strip() != v]
    if not missing:
        raise Stopped
    return " ".join(missing)


def unlimited() -> str:
    """Raise where the kernel limits how many processes there are."""
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if limit != resource.RLIM_INFINITY and limit <= 4096 and os.getuid():
        raise Stopped
    return str(limit)
