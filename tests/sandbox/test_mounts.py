"""A scratch folder that cannot grow beyond its size, and that nobody else sees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.living import ROOT

# Fills what a harness gives its processes, from a process with mounts of its own.
FILLS = """
import asyncio, json, os, sys
from grader.harness.fork_launcher import ForkLauncher
from grader.harness.harness import Harness
from grader.sandbox import mounts

async def main():
    async with Harness(ForkLauncher(), ("json",), sys.argv[1]) as harness:
        folder, kept = harness.place.scratch, []
        free = os.statvfs(sys.argv[1]).f_bavail
        try:
            for number in range(10**4):
                kept.append(open(folder / str(number), "wb"))
                os.unlink(folder / str(number))
                for _ in range(16):
                    kept[-1].write(bytes(2**20))
                    kept[-1].flush()
        except OSError as problem:
            print(json.dumps([problem.strerror, len(kept), str(folder)]), flush=True)
        sys.stdin.read()

if mounts.own():
    asyncio.run(main())
"""


def test_a_full_folder(tmp_path: Path) -> None:
    """files that are removed and still open count; the disk itself gets none of them"""
    running = subprocess.Popen(
        [sys.executable, "-c", FILLS, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    line = running.stdout.readline()
    if not line:
        running.communicate()
        pytest.skip("this machine allows no private mount")
    problem, files, folder = json.loads(line)
    seen_here = os.path.ismount(folder)
    running.communicate("")
    assert problem == "No space left on device"
    assert 15 < files < 25  # of 16 MiB each, of 320 MiB
    assert not seen_here
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs a mount namespace")
def test_a_mounted_folder_stays(tmp_path: Path) -> None:
    """what is emptied between two runs keeps what is mounted in it, where it is"""
    (tmp_path / "a run" / "in").mkdir(parents=True)
    (tmp_path / "left" / "deep").mkdir(parents=True)
    script = (
        'mount -t tmpfs none "$0/a run/in" || exit 77\n'
        'touch "$0/a run/in/kept" "$0/a run/gone"\n'
        '"$1" -c "import sys; from grader.sandbox.folders import empty; '
        'empty(sys.argv[1])" "$0" && find "$0" -mindepth 1 -printf "%P\\n"'
    )
    ran = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, str(tmp_path), sys.executable],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if ran.returncode == 77 or "unshare" in ran.stderr:
        pytest.skip("this machine allows no private mount")
    assert ran.stdout.splitlines() == ["a run", "a run/in", "a run/in/kept"], ran
