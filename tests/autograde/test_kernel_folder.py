"""The copy of a notebook's folder that a kernel works on: who removes it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.autograde.kernel import SandboxedKernelManager

OWNS = (
    "from grader.autograde.kernel import SandboxedKernelManager\n"
    "print(SandboxedKernelManager().folder, flush=True)\n"
    "input()"
)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, empty."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_killed_owner(temporary: Path) -> None:
    """kill -9 of nbgrader leaves a folder, which the next kernel removes"""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary)},
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        left = Path(owner.stdout.readline().strip())
        beside = SandboxedKernelManager().folder
        assert sorted(temporary.iterdir()) == sorted([left, beside])
        owner.kill()
    last = SandboxedKernelManager().folder
    assert sorted(temporary.iterdir()) == sorted([beside, last])


def test_ended_kernel(temporary: Path) -> None:
    """a kernel that has ended leaves neither its folder nor the lock"""
    files = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    manager = SandboxedKernelManager()
    asyncio.run(manager.cleanup_resources())
    assert [*temporary.iterdir()] == []
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) == files
