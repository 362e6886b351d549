"""However a notebook's kernel ends, nothing of its check is left."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager

from tests.harness.living import (
    BOTH,
    LIMIT_S,
    ROOT,
    Signal,
    leftovers,
    survivors,
    tree,
)

STEM = "ex04_memory_saver"


CELLS = (
    "import os\n%load_ext grader\n%exercise {stem}\n"
    "from grader import session\nprint(session.client.pid, flush=True)\n"
    "get_ipython().run_cell_magic('submission', '', open({file!r}).read())\n"
    "from grader import check\ncheck()"
)


@pytest.fixture
def kernel(scratch: Path) -> Iterator[KernelManager]:
    """A notebook's kernel, as JupyterLab starts it."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(
        env={**os.environ, "TMPDIR": str(scratch), "GRADER_TIER": "3"},
        cwd=str(ROOT / "tests"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield manager
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


def checks(kernel: KernelManager, said: Signal, scratch: Path) -> list[psutil.Process]:
    """Run a check that hangs in the kernel; return all processes of it by then."""
    file = scratch.parent / "hangs.py"
    file.write_text(said.hangs())
    client = kernel.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=LIMIT_S)
        client.execute(CELLS.format(stem=STEM, file=str(file)))
        found = said.wait(BOTH)
    finally:
        client.stop_channels()
    assert kernel.provisioner is not None
    pid = kernel.provisioner.process.pid  # type: ignore[attr-defined]
    return [*found, *tree(pid)]


def test_killed_kernel(kernel: KernelManager, said: Signal, scratch: Path) -> None:
    """kill -9 of a notebook's kernel in the middle of a check leaves nothing"""
    found = checks(kernel, said, scratch)
    assert len(found) > BOTH + 3  # the kernel, the service, the forkserver, a worker
    os.kill(kernel.provisioner.process.pid, signal.SIGKILL)  # type: ignore
    assert not survivors(found)
    assert leftovers(scratch) == []


def test_restarted_kernel(kernel: KernelManager, said: Signal, scratch: Path) -> None:
    """a restart of the kernel in the middle of a check leaves nothing"""
    found = checks(kernel, said, scratch)
    kernel.restart_kernel(now=True)
    assert not survivors(found)
    assert leftovers(scratch) == []
