"""nginx before the servers: the same is observed with it as without it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from grader.harness import nginx, supervisor
from grader.harness.launch import GraderBroke
from grader.vocabulary import Run, process, together
from grader.vocabulary.scenario import Step
from tests.harness.living import (
    LIMIT_S,
    ROOT,
    Signal,
    command,
    leftovers,
    lines,
    survivors,
    tree,
)
from tests.harness.postgres import short_folder
from tests.harness.small import Warm, exercise

pytestmark = pytest.mark.skipif(
    bool(nginx.look().problem), reason=f"expected nginx: {nginx.look().problem}"
)
NONE = nginx.Program(problem="there is none in this test")
APPLICATION = """
import asyncio, json, os, signal

async def api(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError("it has no lifespan")
    path, status, headers = scope["path"], 200, []
    said = json.loads((await receive())["body"] or "null")
    names = sorted(name.decode() for name, _ in scope["headers"])
    body = json.dumps([os.path.basename(os.getcwd()), path, said]).encode()
    if path == "/headers":
        body = json.dumps(names).encode()
    if path == "/raises":
        raise LookupError("no such thing")
    if path == "/gateway":
        status, body = 502, b"its own gateway"
    if path == "/ends":
        os._exit(7)
    if path == "/is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if path == "/hangs":
        await asyncio.Event().wait()
    if path == "/large":
        body = b"x" * 2**20
    if path == "/wide":
        headers = [(b"x-wide", b"x" * 60_000)]
    if path == "/orders":
        headers = [(b"x-accel-redirect", b"/raises"), (b"x-accel-limit-rate", b"1")]
    if path == "/breaks off":
        headers = [(b"content-length", b"%d" % (len(body) + 1))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    if path == "/breaks off":
        os._exit(7)
    await send({"type": "http.response.body", "body": b""})
"""
PATHS = (
    *("/", "/raises", "/gateway", "/ends", "/is killed", "/hangs", "/large", "/wide"),
    *("/orders", "/breaks off"),
)
HOLDS = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from grader.harness.nginx import Balancer

async def main():
    job = SimpleNamespace(cwd=sys.argv[1], address="server.sock")
    server = SimpleNamespace(number=0, job=job, door=None)
    await Balancer(Path(sys.argv[1]), Path(sys.argv[1])).open([server])
    print(server.door.pid, flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


def served(warm: Warm, *steps: Step) -> Run:
    """Return what happens when these steps are taken with servers behind nginx."""
    made = exercise(*steps, contract=("api: ASGI application",))
    made.balanced = True
    return warm.histories(APPLICATION, made).runs["only"]


def outcomes(run: Run) -> list[tuple[Any, ...]]:
    """Return what is observed of each request and of each server's end."""
    keys = ("error", "status", "value", "line", "code", "what")
    seen = [*run.replies, *run.of("exit"), *run.of("limit"), *run.of("broken")]
    return [(s.kind, s.process, *(s.data.get(key) for key in keys)) for s in seen]


@pytest.mark.parametrize("path", PATHS)
def test_the_same_is_observed(
    warm: Warm, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """what a server answers, raises or dies of is observed as it is without nginx"""
    monkeypatch.setattr(supervisor, "CALL_LIMIT_S", 1.0)
    steps = process(1).posts(path, ["{word}"]), process(0).posts("/", ["{word}"])
    behind = served(warm, *steps)
    monkeypatch.setattr(nginx, "look", lambda: NONE)
    assert outcomes(behind) == outcomes(served(warm, *steps))
    assert behind.replies[1].ok


def test_a_request_reaches_its_server(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """of requests at once each is served by the process that its step names, and the
    way they took is nginx"""
    steps = [process(n % 4).gets(f"/{n}") for n in range(16)]
    run = served(warm, together(*steps), process(0).restarts(), steps[0])
    expected = [[f"process-{n % 4}", f"/{n}", None] for n in [*range(16), 0]]
    assert [reply.value for reply in run.replies] == expected
    marked = nginx.CONFIGURATION.replace("proxy_set_header Host", MARK)
    monkeypatch.setattr(nginx, "CONFIGURATION", marked)
    names = served(warm, process(0).gets("/headers")).replies[0].value
    assert "via" in names
    assert not {"x-server", "connection"} & set(names)


MARK = "proxy_set_header Via nginx; proxy_set_header Host"


def test_nothing_is_left_of_a_run(warm: Warm) -> None:
    """when a run is over, neither its nginx nor its folder is there"""
    assert served(warm, process(0).gets("/")).replies[0].ok
    assert list(warm.harness.folder.glob("nginx-*")) == []
    assert nginx.SETTINGS not in str(lines(tree(os.getpid())))


@pytest.fixture
def server(tmp_path: Path) -> Any:
    """What a balancer has to know of a process."""
    job = SimpleNamespace(cwd=str(tmp_path / "process-0"), address="server.sock")
    Path(job.cwd).mkdir()
    return SimpleNamespace(number=0, job=job, door=None)


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    """The loop that a balancer lives in."""
    with asyncio.Runner() as runner:
        yield runner


def test_it_is_nobody_and_its_death_is_said(
    server: Any, loop: asyncio.Runner, tmp_path: Path
) -> None:
    """it never runs as root, and when it has ended that is the grader's fault"""
    balancer = nginx.Balancer(tmp_path, tmp_path)
    loop.run(balancer.open([server]))
    running = psutil.Process(server.door.pid)
    assert 0 not in running.uids()
    balancer.certify()
    running.kill()
    assert not survivors([running])
    with pytest.raises(GraderBroke, match="nginx ended during the run"):
        balancer.certify()
    loop.run(balancer.close())
    assert list(tmp_path.glob("nginx-*")) == []


def test_one_that_does_not_start(
    server: Any, loop: asyncio.Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """where it does not start, requests go straight, and nothing is left of it"""
    monkeypatch.setattr(nginx, "CONFIGURATION", "nonsense;")
    balancer = nginx.Balancer(tmp_path, tmp_path)
    loop.run(balancer.open([server]))
    assert server.door is None
    assert list(tmp_path.glob("nginx-*")) == []
    balancer.certify()


def test_it_ends_with_its_supervisor(tmp_path: Path) -> None:
    """kill -9 of the process that started it ends it"""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as popen:
        assert popen.stdout is not None
        running = psutil.Process(int(popen.stdout.readline()))
        popen.send_signal(signal.SIGKILL)
    assert not survivors([running])


@pytest.mark.slow
def test_killed_command(tmp_path: Path) -> None:
    """kill -9 of a check of ex10 leaves no nginx, no server and no folder"""
    said, file = Signal(tmp_path), tmp_path / "hangs.py"
    file.write_text(
        f"""
import asyncio, os

async def api(scope, receive, send):
    if scope["type"] == "http":
        with open({str(said.path)!r}, "a") as file:
            file.write(f"{{os.getpid()}}\\n")
        await asyncio.Event().wait()
    raise NotImplementedError
"""
    )
    with (
        short_folder() as folder,
        command("check", file, "--exercise", "ex10_on_call", folder=folder) as running,
    ):
        found = [*said.wait(4), *tree(running.pid)]
        assert nginx.SETTINGS in str(lines(found))
        running.kill()
        running.communicate(timeout=LIMIT_S)
        assert not survivors(found)
        assert leftovers(folder) == []
    said.close()
