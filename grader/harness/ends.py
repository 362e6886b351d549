"""One end of a connection that passes on what it says to the other end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast


class End(asyncio.Protocol):
    """What one end says is noted, and passed on to the other, no faster than it reads.

    No task wakes up for that: a check's processes and their database say ten thousand
    things to each other.
    """

    transport: asyncio.Transport

    def __init__(self, begun: Callable[[End], None] = lambda _: None) -> None:
        self._begun = begun
        self.lost = asyncio.get_running_loop().create_future()

    def join(self, other: End, note: Callable[[bytes], None]) -> None:
        """Pass on to `other` from now on."""
        self._other, self._note = other, note

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self.transport = cast(asyncio.Transport, transport)
        # Not now: what is paused here is read all the same by Python before 3.11.4.
        asyncio.get_running_loop().call_soon(self._begun, self)

    def data_received(self, data: bytes) -> None:
        """Note it, and pass it on."""
        self._note(data)
        self._other.transport.write(data)

    def pause_writing(self) -> None:
        """Let the other end wait: this one does not read."""
        self._other.transport.pause_reading()

    def resume_writing(self) -> None:
        """Let the other end go on."""
        self._other.transport.resume_reading()

    def connection_lost(self, _: Exception | None) -> None:
        """Say so, once."""
        self.lost.set_result(None)

    def close(self) -> None:
        """End it when all is written; there may be no connection."""
        if hasattr(self, "transport"):
            self.transport.close()
