"""What is imported once is held so that a process forked from it costs little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.harness import preloading
from grader.harness.forked import forget

# A process of its own: what it holds in large pages, it holds until it ends.
ENLARGE = """
import json, mmap
from grader.harness import preloading

def large_b():
    with open("/proc/self/smaps_rollup") as file:
        (line,) = [line for line in file if line.startswith("AnonHugePages")]
    return int(line.split()[1]) * 1024

size = 4 * preloading.LARGE_B
kept = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
kept.write(b"k" * size)
held = preloading.enlarge_pages()
print(json.dumps([large_b(), held, kept[:] == b"k" * size]))
"""
# What it imports says whether the collector is on meanwhile.
COLLECTS = """
import gc, json, sys
from grader.harness.preloading import preload

sys.path.insert(0, sys.argv[1])
problems = preload(["seen", "seen:raises", "nowhere"])
print(json.dumps([sys.modules["seen"].was_on, gc.isenabled(), gc.get_freeze_count()]))
print(json.dumps(sorted(problems)))
"""
SEEN = """
import gc
was_on = gc.isenabled()
def raises():
    raise ZeroDivisionError
"""


def test_the_collector_rests_meanwhile(tmp_path: Path) -> None:
    """no import is interrupted by it, and what is forked later has it on, with nothing
    of this in it; also where something could not be imported"""
    (tmp_path / "seen.py").write_text(SEEN)
    run = [sys.executable, "-c", COLLECTS, str(tmp_path)]
    shown = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
    about, problems = map(json.loads, shown.stdout.splitlines())
    was_on, is_on, frozen = about
    assert (was_on, is_on) == (False, True)
    assert frozen > 0
    assert problems == ["nowhere", "seen:raises"]


@pytest.mark.skipif(sys.platform != "linux", reason="pages are Linux's")
def test_memory_is_held_in_large_pages() -> None:
    """as much as is said, where the kernel can, and what stood in it stands in it"""
    run = [sys.executable, "-c", ENLARGE]
    shown = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
    large, held, is_kept = json.loads(shown.stdout)
    assert large >= held
    assert is_kept
    if can_enlarge():
        assert held >= 3 * preloading.LARGE_B


def can_enlarge() -> bool:
    """Whether this kernel holds memory in large pages when it is asked to."""
    version = tuple(int(part) for part in os.uname().release.split(".")[:2])
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return (
        version >= (6, 1) and setting.is_file() and "[never]" not in setting.read_text()
    )


def test_a_kernel_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """an older kernel holds nothing, and nothing is raised"""
    monkeypatch.setattr(preloading, "MADV_COLLAPSE", -1)
    assert preloading.enlarge_pages() == 0


def test_only_what_is_named_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """modules of the named packages are imported anew, all others stay"""
    kept, gone = dict.fromkeys(["a", "ab.c"], sys), dict.fromkeys(["b", "b.c"], sys)
    monkeypatch.setattr(sys, "modules", {**kept, **gone})
    forget([])
    assert sys.modules == {**kept, **gone}
    forget(["b"])
    assert sys.modules == kept
