"""The walls stand before the first line of a submission is run, whoever imports it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.harness import tiers
from grader.harness.fork_launcher import ForkLauncher
from grader.vocabulary import process
from grader.vocabulary.scenario import Step
from tests.harness.small import LIGHT, Warm, exercise
from tests.sandbox.conftest import needed
from tests.sandbox.trying import DATA

REFUSED = {"PermissionError", "FileNotFoundError", "ConnectionRefusedError"}
TELLS = "\ndef look(what):\n    return SEEN\n"
IN_A_MODULE = f"""
# === module: app.py ===
from store import SEEN
{TELLS}
# === module: store.py ===
"""


@dataclass(frozen=True)
class Decoys:
    """What the attack aims at, outside: a secret, a folder, and who listens."""

    folder: Path
    listener: socket.socket

    def attack(self) -> str:
        """Return a module that attacks before it does anything else."""
        port = self.listener.getsockname()[1]
        return f"""
import os, socket

def met(attack):
    try:
        return f"got {{attack()!r}}"
    except BaseException as problem:
        return type(problem).__name__

SEEN = {{
    "read": met(lambda: open({str(self.folder / "secret")!r}).read()),
    "list": met(lambda: os.listdir({str(self.folder)!r})),
    "write": met(lambda: open({str(self.folder / "new")!r}, "w")),
    "connect": met(lambda: socket.create_connection(("127.0.0.1", {port}), 2)),
    "signal": met(lambda: os.kill(os.getppid(), 0)),
    "memory": met(lambda: open(f"/proc/{{os.getppid()}}/mem", "rb")),
}}
"""

    def unharmed(self) -> None:
        """Check that what the attack aims at is there, and that nobody has come."""
        assert [path.name for path in self.folder.iterdir()] == ["secret"]
        with pytest.raises(BlockingIOError):
            self.listener.accept()


@pytest.fixture
def decoys(tmp_path: Path) -> Iterator[Decoys]:
    """What an attack aims at, and how it is afterwards."""
    folder = tmp_path / "outside"
    folder.mkdir(mode=0o755)
    (folder / "secret").write_text("the answers")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        made = Decoys(folder, listener)
        yield made
        made.unharmed()


def seen(warm: Warm, text: str, *steps: Step) -> list[Any]:
    """Return what each call has returned, or the trouble that there was."""
    made = exercise(*steps, contract=DATA)
    run = warm.run(warm.harness.run(warm.order(text, made))).runs["only"]
    return [reply.value if reply.ok else reply.trouble for reply in run.replies]


ONE = process(0).calls("look", "a")
IMPORTED = {
    "first": (ONE,),
    "in a module of its own": (ONE,),
    "beside others": tuple(process(n).calls("look", "a") for n in range(3)),
    "apart": (process(0).starts_apart(), ONE),
    "after a restart": (process(0).restarts(), ONE),
}


@pytest.mark.parametrize("how", IMPORTED)
def test_first_line(walled: Warm, decoys: Decoys, how: str) -> None:
    """a submission that attacks before all else reads, reaches and signals nobody"""
    text = decoys.attack() + TELLS
    if how == "in a module of its own":
        text = IN_A_MODULE + decoys.attack()
    for each in seen(walled, text, *IMPORTED[how]):
        assert len(each) == 6, each
        assert set(each.values()) <= REFUSED, each


# What Python runs when it starts, wherever process 0 may leave it; then two start.
LEAVES = """
import json, os, subprocess, sys

SHARED = os.path.dirname(os.environ["CHECKPOINT_DB"])
SITE = f".local/lib/python3.{sys.version_info[1]}/site-packages"
KEEPS = '''
import json
with open(f"{SHARED}/{os.getpid()}.json", "w") as file:
    json.dump(SEEN, file)
'''

def leave(folder):
    os.makedirs(folder, exist_ok=True)
    for name in ("sitecustomize.py", "usercustomize.py", "left.pth"):
        with open(f"{folder}/{name}", "w") as file:
            file.write(f"import sys; sys.path.append({SHARED!r}); import attack_\\n")

def starts(program, path):
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)

if os.getcwd().endswith("process-0"):
    with open(SHARED + "/attack_.py", "w") as file:
        file.write(ATTACK + f"SHARED = {SHARED!r}" + KEEPS)
    for folder in (SHARED, os.getcwd(), os.environ["HOME"] + "/" + SITE):
        leave(folder)
    starts("pass", path=SHARED)
    starts(f"import site; site.addsitedir({SHARED!r})", path="")

def look(what):
    names = sorted(name for name in os.listdir(SHARED) if name.endswith(".json"))
    return [json.load(open(f"{SHARED}/{name}")) for name in names]
"""


def test_what_python_starts_with(decoys: Decoys, tmp_path: Path) -> None:
    """a start-up file that a submission leaves is run by its own children only"""
    needed(tiers.REDUCED)  # where a new interpreter forks what starts apart
    one = Warm(ForkLauncher(tiers.REDUCED), LIGHT, tmp_path)
    calls = [process(number).calls("look", "a") for number in (0, 1)]
    text = f"\nATTACK = {decoys.attack()!r}\n{LEAVES}"
    try:
        _, each = seen(one, text, process(1).starts_apart(), *calls)
    finally:
        one.close()
    assert len(each) == 2, each
    # Whoever has started them is the submission itself, behind the same walls.
    for name in ("read", "list", "write", "connect"):
        assert {child[name] for child in each} <= REFUSED, each
