"""What passes on the wire of a database, as far as it tells who waits and who asks."""

from __future__ import annotations

import socket
import struct
import sys
from collections import Counter
from dataclasses import dataclass, field

KEY_DATA, HEAD_B = b"K", 5  # of the server's messages: a letter and a length
GREETING_LIMIT_B = 64 * 1024  # within which a server says which of its processes it is
# Level, option and size in bytes: SO_PEERCRED, and LOCAL_PEERPID of SOL_LOCAL.
PEER = {"linux": (socket.SOL_SOCKET, 17, 12), "darwin": (0, 2, 4)}
REQUESTS_LIMIT = 1000  # different requests of one connection that are told apart


@dataclass(slots=True, eq=False)
class Wire:
    """One connection: which process opened it, and which of the server's serves it."""

    client: int  # -1 where the system does not say
    server: int = 0  # 0 until the server has said so
    asked: Counter[int] = field(default_factory=Counter)
    awaits: bool = True  # an answer of the server
    _greeting: bytes = b""

    def sent(self, data: bytes) -> None:
        """Note what the client says, once it may ask anything."""
        self.awaits = True
        if self.server and len(self.asked) < REQUESTS_LIMIT:
            self.asked[hash(data)] += 1

    def received(self, data: bytes) -> None:
        """Look for the number of the server's process, which comes before all else."""
        self.awaits = not self.server  # until it is known, they greet each other
        if self.server or len(self._greeting) > GREETING_LIMIT_B:
            return
        self._greeting += data
        at = 0
        while len(self._greeting) >= at + HEAD_B:
            letter = self._greeting[at : at + 1]
            (length,) = struct.unpack_from("!I", self._greeting, at + 1)
            if letter == KEY_DATA and len(self._greeting) >= at + HEAD_B + 4:
                (self.server,) = struct.unpack_from("!I", self._greeting, at + HEAD_B)
                self.awaits = False
                self._greeting = b""
                return
            at += 1 + length


class Wires:
    """All connections of one scenario that are open now."""

    def __init__(self) -> None:
        self._open: list[Wire] = []
        self._repeats: Counter[tuple[int, int]] = Counter()

    def opened(self, client: int) -> Wire:
        """Note a new connection."""
        self._open.append(Wire(client))
        return self._open[-1]

    def closed(self, wire: Wire) -> None:
        """Note the end of a connection."""
        self._open.remove(wire)
        for request, times in wire.asked.items():
            self._repeats[wire.client, request] += times

    def count(self, client: int) -> int:
        """Return how many connections a process has open."""
        return sum(wire.client == client for wire in self._open)

    def servers(self, client: int) -> set[int]:
        """Return the server's processes that serve a process."""
        return {wire.server for wire in self._open if wire.client == client}

    def awaited(self) -> set[int]:
        """Return the server's processes that have not answered yet."""
        return {wire.server for wire in self._open if wire.awaits}

    def repeated(self, client: int) -> int:
        """Return how often a process has asked one and the same thing."""
        found = Counter(
            {request: n for (who, request), n in self._repeats.items() if who == client}
        )
        for wire in self._open:
            if wire.client == client:
                found.update(wire.asked)
        return max(found.values(), default=0)

    def forget(self) -> None:
        """Count from here on what is asked again."""
        self._repeats.clear()
        for wire in self._open:
            wire.asked.clear()


def peer(connection: socket.socket) -> int:
    """Return which process is at the other end of a unix socket, or -1."""
    level, option, size = PEER.get(sys.platform, (0, 0, 0))
    if not size:
        return -1
    try:
        found = connection.getsockopt(level, option, size)
    except OSError:  # it has hung up already
        return -1
    return int(struct.unpack_from("i", found)[0])
