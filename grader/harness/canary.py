"""Attacks the sandbox in use, from inside, and says which tier it really is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader import locked
from grader.harness import tiers
from grader.harness.border import parse
from grader.harness.launch import GraderBroke, Job, Launched, Launcher, Place
from grader.harness.limits import CANARY_LIMIT_S
from grader.sandbox import attacks

# What a machine without bubblewrap does not stop, and the second tier does not claim.
ONLY_ISOLATED = {
    *("be root", "see the machine's processes", "fork without a limit"),
    *("signal the grader", "connect to a socket with a path"),
    "read others' shared memory",
}
SHARED_MEMORY = "/dev/shm"
FUNCTION = {"name": "attempt", "parameters": ["decoys"], "returns": "dict"}


async def certify(launcher: Launcher, place: Place) -> tuple[int, dict[str, str]]:
    """Return the tier that holds, and which attacks got through.

    Raises:
        GraderBroke: the canary itself could not be run.
    """
    if launcher.tier == tiers.NOT_ISOLATED:
        return launcher.tier, {}
    folder = place.scratch / "canary"
    with _decoys(place) as (decoys, datagrams):
        try:
            through = await _attacked(launcher, folder, decoys)
        except (TimeoutError, OSError, ValueError) as problem:
            raise GraderBroke(f"the canary broke: {problem!r}") from problem
        finally:
            await launcher.sweep(everything=True)
        if not datagrams():
            through.pop("send a datagram", None)
    if not through:
        return launcher.tier, {}
    if through.keys() <= ONLY_ISOLATED:
        return tiers.REDUCED, through if launcher.tier == tiers.ISOLATED else {}
    return tiers.NOT_ISOLATED, through


async def _attacked(
    launcher: Launcher, folder: Path, decoys: dict[str, Any]
) -> dict[str, str]:
    code = folder / "code"
    code.mkdir(parents=True)
    text = Path(attacks.__file__).read_text("utf-8")
    (code / "submission.py").write_text(text, "utf-8")
    victim, attacker = await asyncio.gather(
        *(_started(launcher, folder, code, name) for name in ("victim", "attacker"))
    )
    order = {"id": 1, "function": "attempt", "beside": False}
    order["args"] = [{**decoys, "victim": victim.pid}]
    try:
        attacker.writer.write(json.dumps(order).encode() + b"\n")
        line = await asyncio.wait_for(attacker.reader.readline(), CANARY_LIMIT_S)
        reply = parse(line)
        if not isinstance(reply, dict) or not isinstance(reply.get("value"), dict):
            raise ValueError(f"expected what got through, found {line[:200]!r}")
        return {str(k): str(v) for k, v in reply["value"].items()}
    finally:
        for each in (victim, attacker):
            each.writer.close()


async def _started(launcher: Launcher, folder: Path, code: Path, name: str) -> Launched:
    cwd, log = folder / name, folder / f"{name}.log"
    cwd.mkdir()
    log.touch()
    if launcher.owner:
        for path in (cwd, log):
            os.chown(path, launcher.owner, launcher.owner)
    submission = str(code / "submission.py")
    job = Job(str(code), submission, str(cwd), str(log), [FUNCTION], {})
    launched = await launcher.start(job)
    line = await asyncio.wait_for(launched.reader.readline(), CANARY_LIMIT_S)
    if parse(line) != {"kind": "ready"}:
        raise ValueError(f"expected the canary to be ready, found {line[:200]!r}")
    return launched


def _kept(otherwise: str) -> Any:
    """Make a file in shared memory, or where there is none or it is full, elsewhere."""
    with contextlib.suppress(OSError):
        return tempfile.NamedTemporaryFile(dir=SHARED_MEMORY)
    return tempfile.NamedTemporaryFile(dir=otherwise)


@contextmanager
def _decoys(place: Place) -> Iterator[tuple[dict[str, Any], Any]]:
    """Set up what the attacks aim at: nothing of anybody's."""
    secret = place.folder / "canary-secret"
    secret.write_text(secrets.token_hex(16), "utf-8")
    name = f"canary-{secrets.token_hex(8)}"
    with contextlib.ExitStack() as stack:
        stack.callback(secret.unlink, missing_ok=True)
        tcp = stack.enter_context(socket.socket())
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0{name}")
        abstract.listen()
        # The harness's own folder may be too deep for a socket's name.
        folder = stack.enter_context(locked.kept())
        named = stack.enter_context(socket.socket(socket.AF_UNIX))
        named.bind(f"{folder}/socket")
        named.listen()
        shared = stack.enter_context(_kept(str(folder)))
        # Whoever a submission runs as, it is stopped by a wall or not at all.
        os.chmod(folder, 0o755)
        for path in (f"{folder}/socket", shared.name):
            os.chmod(path, 0o666)

        def received() -> bool:
            with contextlib.suppress(BlockingIOError):
                return bool(udp.recv(64))
            return False

        yield (
            {
                "secret": str(secret),
                "sockets": str(place.sockets),
                "folder": str(place.folder),
                "pid": os.getpid(),
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "abstract": name,
                "socket": f"{folder}/socket",
                "shared": shared.name,
            },
            received,
        )
