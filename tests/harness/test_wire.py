"""What passes on a wire tells who is served by whom, and who asks again."""

from __future__ import annotations

import os
import socket
import struct

import pytest

from grader.harness.wire import GREETING_LIMIT_B, PEER, Wires, peer


def message(letter: bytes, body: bytes) -> bytes:
    return letter + struct.pack("!I", len(body) + 4) + body


HELLO = message(b"R", b"\0\0\0\0") + message(b"S", b"a\0b\0")
KEY = message(b"K", struct.pack("!II", 4711, 1))


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_greeting_in_pieces(size: int) -> None:
    """the server's process is found in a greeting that comes in pieces of any size"""
    wire = Wires().opened(1)
    said = HELLO + KEY + message(b"Z", b"I")
    for at in range(0, len(said), size):
        wire.received(said[at : at + size])
    assert (wire.server, wire.awaits) == (4711, False)


def test_no_greeting() -> None:
    """what is no greeting of PostgreSQL is given up, and not kept"""
    wire = Wires().opened(1)
    for _ in range(40):
        wire.received(message(b"R", b"x" * 4000))
    assert wire.server == 0
    assert len(wire._greeting) <= GREETING_LIMIT_B + 4100


def test_who_asks_again() -> None:
    """the same request counts over all connections of a process, from a moment on"""
    wires = Wires()
    for n in range(3):
        wire = wires.opened(7)
        wire.sent(b"hello")  # the same each time, and no request
        wire.received(HELLO + KEY)
        wire.sent(b"may I?")
        if n:
            wires.closed(wire)
    assert wires.repeated(7) == 3
    assert wires.repeated(8) == 0
    wires.forget()
    assert wires.repeated(7) == 0


def test_what_is_open() -> None:
    """connections are counted by who opened them, until they end"""
    wires = Wires()
    first, _, other = wires.opened(7), wires.opened(7), wires.opened(8)
    assert (wires.count(7), wires.count(8)) == (2, 1)
    wires.closed(first)
    assert wires.count(7) == 1
    other.received(HELLO + KEY)
    assert wires.servers(8) == {4711}


def test_who_waits_for_an_answer() -> None:
    """a request is awaited until the server says something, a greeting until its end"""
    wires = Wires()
    wire = wires.opened(7)
    assert wires.awaited() == {0}
    wire.received(HELLO)
    assert wires.awaited() == {0}
    wire.received(KEY)
    assert wires.awaited() == set()
    wire.sent(b"may I?")
    assert wires.awaited() == {4711}
    wire.received(message(b"Z", b"I"))
    assert wires.awaited() == set()


def test_the_kernel_says_who_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """the other end of a unix socket is named, where a system can"""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer(ours) == os.getpid()
        monkeypatch.setattr("grader.harness.wire.PEER", {})
        assert peer(ours) == -1
    assert "linux" in PEER
