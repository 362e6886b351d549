"""What greedy learners put into a cell: each takes all that it gets of something.

Each has a bound of its own too, so that a machine without limits is unharmed.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.sandbox import attacks

OUTPUT_B, MESSAGE_B = 10_000_000, 20_000_000  # above the limit of each
MEMORY_B = 600_000_000  # that the test allows; what is taken is twice as much
# What each of these cells says that it got, and what it would have taken.
TAKES = {"processes": 2000, "files": 5000, "/tmp": 300, "/dev/shm": 300}
# They leave whoever has started them, and wait for what never comes.
PROCESSES = """
import os, signal
reader, writer = os.pipe()
os.set_inheritable(writer, True)
masked = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]
got, why = 0, ""
try:
    for got in range({processes}):
        waits = [(os.POSIX_SPAWN_DUP2, reader, 0)]
        given = {"file_actions": waits, "setsid": True, "setsigmask": masked}
        os.posix_spawn("/bin/cat", ["{mark}"], {}, **given)
except OSError as refused:
    why = refused
print("took", got, "processes:", why)
"""
MEMORY = """
import signal
kept = [bytearray(b"x" * {part}) for _ in range(24)]
signal.pause()
"""
# Says so with some files left: the kernel needs them to say anything.
FILES = """
kept, why = [], ""
try:
    for _ in range({files}):
        kept.append(open("/dev/null"))
except OSError as refused:
    why = refused
got = len(kept)
kept.clear()
print("took", got, "files:", why)
"""
DISK = """
import os
for folder in ("/tmp", "/dev/shm"):
    name, got = folder + "/large", 0
    try:
        for got in range({/tmp}):
            with open(f"{name}{got}", "wb") as file:
                file.write(bytes(1 << 20))
    except OSError as refused:
        print("took", got, folder + ":", refused)
    finally:
        for n in range(got + 1):
            os.remove(f"{name}{n}")
"""
SHOUTS = "print('x' * {message})"
FLOODS = "print('x' * {output})"
# The attacks of the canary that the harness lets out at its start.
CANARY = f"""
{Path(attacks.__file__).read_text(encoding="utf-8")}
import json
print(json.dumps({{"parent": os.getppid(), "through": attempt({{decoys}})}}))
"""


@dataclass(frozen=True)
class Decoys:
    """What the attacks are aimed at: nothing of anybody's."""

    folder: Path
    stream: socket.socket
    datagrams: socket.socket
    abstract: socket.socket
    named: socket.socket

    def told(self) -> dict[str, Any]:
        """Return what an attack has to know."""
        return {
            "secret": str(self.folder / "secret"),
            "sockets": str(self.folder),
            "folder": str(self.folder),
            "shared": str(self.folder / "secret"),
            "socket": self.named.getsockname(),
            "abstract": self.abstract.getsockname()[1:].decode(),
            "tcp": self.stream.getsockname()[1],
            "udp": self.datagrams.getsockname()[1],
            "pid": os.getpid(),
            "victim": 2,  # waits in each sandbox, and keeps it
        }

    def reached(self) -> list[str]:
        """Return where anything has come in."""
        found = []
        for name in ("stream", "abstract", "named"):
            with contextlib.suppress(BlockingIOError):
                getattr(self, name).accept()[0].close()
                found.append(name)
        with contextlib.suppress(BlockingIOError):
            self.datagrams.recv(64)
            found.append("datagrams")
        return found


@contextmanager
def decoys(folder: Path) -> Iterator[Decoys]:
    """Set up decoys that everybody may use who can reach them."""
    folder.chmod(0o777)
    (folder / "secret").write_text("nobody's")
    (folder / "secret").chmod(0o666)
    addresses: dict[str, tuple[int, int, Any]] = {
        "stream": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
        "datagrams": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
        "abstract": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0decoy-{folder.name}"),
        "named": (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "socket")),
    }
    with contextlib.ExitStack() as stack:
        made = {}
        for name, (family, kind, address) in addresses.items():
            made[name] = one = stack.enter_context(socket.socket(family, kind))
            one.bind(address)
            one.setblocking(False)
            if kind == socket.SOCK_STREAM:
                one.listen()
        (folder / "socket").chmod(0o666)
        yield Decoys(folder, **made)


def filled(code: str, **values: object) -> str:
    """Fill in what a cell takes, and what it has to know."""
    known = {"message": MESSAGE_B, "output": OUTPUT_B, "part": MEMORY_B // 12}
    for name, value in {**TAKES, **known, **values}.items():
        code = code.replace("{" + name + "}", str(value))
    return code
