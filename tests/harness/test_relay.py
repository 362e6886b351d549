"""What passes on the bytes between a submission and its database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from grader.fakes.callers import BOUND
from grader.harness.relay import NAME, Relay

LIMIT_S = 60.0
LARGE = os.urandom(8 * 1024 * 1024)  # more than any socket holds
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Test = Coroutine[None, None, None]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Test]


@asynccontextmanager
async def relayed(folder: Path, talk: Talk) -> AsyncIterator[Relay]:
    """Run a server, and a relay to it."""
    (folder / "far").mkdir()
    server = await asyncio.start_unix_server(talk, folder / "far" / NAME)
    async with Relay(folder / "near", str(folder / "far"), 5432) as relay:
        yield relay
    server.close()


async def opened(folder: Path) -> Ends:
    return await asyncio.open_unix_connection(folder / "near" / NAME)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1024):
            writer.write(data)
            await writer.drain()
    writer.close()


def run(test: Test) -> None:
    asyncio.run(asyncio.wait_for(test, LIMIT_S))


def test_all_of_it_arrives_both_ways(tmp_path: Path) -> None:
    """eight megabytes to a server that reads a kilobyte at a time, and back"""

    async def large() -> None:
        async with relayed(tmp_path, echo) as relay:
            reader, writer = await opened(tmp_path)
            writer.write(LARGE)
            assert await reader.readexactly(len(LARGE)) == LARGE
            assert relay.wires.count(os.getpid()) == 1
            writer.close()

    run(large())


def test_who_does_not_read_is_waited_for(tmp_path: Path) -> None:
    """what nobody takes is not piled up: its writer has to wait"""

    async def full() -> None:
        begun = asyncio.Event()

        async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            begun.set()
            await asyncio.get_running_loop().create_future()

        async with relayed(tmp_path, deaf):
            _, writer = await opened(tmp_path)
            await begun.wait()
            writer.write(LARGE)
            taken = asyncio.ensure_future(writer.drain())
            await asyncio.wait({taken}, timeout=0.3)
            assert not taken.done()
            taken.cancel()
            writer.transport.abort()

    run(full())


@pytest.mark.parametrize("first", ["client", "server"])
def test_either_end_ends_both(tmp_path: Path, first: str) -> None:
    """what was said before is passed on, and the connection is counted no more"""

    async def ended() -> None:
        said = asyncio.get_running_loop().create_future()

        async def talk(reader: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            if first == "server":
                to.write(b"bye")
                to.close()
            said.set_result(await reader.read())

        async with relayed(tmp_path, talk) as relay:
            reader, writer = await opened(tmp_path)
            if first == "client":
                writer.write(b"bye")
                writer.close()
                assert await said == b"bye"
            else:
                assert await reader.read() == b"bye"
                await said
            assert relay.wires.count(os.getpid()) == 0

    run(ended())


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """a client is hung up on, as a server that is down does"""

    async def absent() -> None:
        async with Relay(tmp_path / "near", str(tmp_path / "far"), 5432) as relay:
            reader, _ = await opened(tmp_path)
            assert await reader.read() == b""
            assert relay.wires.count(os.getpid()) == 0

    run(absent())


def test_its_end_is_everybodys(tmp_path: Path) -> None:
    """who is connected is hung up on, even before it was served"""

    async def over() -> None:
        async with relayed(tmp_path, echo) as relay:
            served, early = await opened(tmp_path), await opened(tmp_path)
            served[1].write(b"a word")
            assert await served[0].readexactly(6) == b"a word"
            await relay.__aexit__()
            for reader, _ in (served, early):
                with suppress(ConnectionResetError):
                    assert await reader.read() == b""
            assert not (tmp_path / "near").exists()

    run(over())


def test_its_folder_is_told_to_nobody(tmp_path: Path) -> None:
    """what the kernel says of a connection does not name the folder it is to"""
    listed = Path("/proc/net/unix")
    if not listed.is_file():
        pytest.skip("this system does not list sockets there")

    async def told() -> None:
        async with relayed(tmp_path, echo):
            reader, writer = await opened(tmp_path)
            writer.write(b"a word")
            assert await reader.readexactly(6) == b"a word"
            lines = listed.read_text("utf-8", "replace").splitlines()
            writer.close()
        shown = {"/" + line.partition("/")[2] for line in lines}
        assert str(tmp_path / BOUND) in shown
        assert str(tmp_path / "near" / NAME) not in shown

    run(told())
