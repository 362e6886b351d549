"""What the workers of one command share: the libraries, imported once."""

from __future__ import annotations

import contextlib
import signal
import time
from pathlib import Path

import psutil

from grader.harness import tiers
from tests.batch.classroom import command, hand_in
from tests.harness.living import BOTH, LIMIT_S, is_zygote, survivors
from tests.sandbox.conftest import needed

HANGS = "import threading\nthreading.Event().wait()\n"


def test_the_libraries_are_imported_once(tmp_path: Path) -> None:
    """what all workers' sandboxes are entered from has one parent, and ends"""
    needed(tiers.ISOLATED)
    hand_in(tmp_path, "ada", HANGS)
    hand_in(tmp_path, "ben", f"{HANGS}# 2")
    process = command("grade", tmp_path, "-o", tmp_path / "out", "--workers", "2")
    began = time.monotonic()
    branches: set[psutil.Process] = set()
    while len(branches) < BOTH and time.monotonic() < began + LIMIT_S:
        below = psutil.Process(process.pid).children()
        for each in below:
            with contextlib.suppress(psutil.Error):
                if is_zygote(each):
                    branches |= {*filter(is_zygote, each.children())}
        psutil.wait_procs(below, 0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert len(branches) == BOTH
    assert survivors({*below, *branches}) == []
