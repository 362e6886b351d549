"""What holds for all tests: in continuous integration none is skipped."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

SLOW = 20  # other tests are as long as one that is marked so


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: a worker takes one file after the other."""
    length: Counter[str] = Counter()
    for item in items:
        file = item.nodeid.partition("::")[0]
        length[file] += SLOW if item.get_closest_marker("slow") else 1
    items.sort(key=lambda item: -length[item.nodeid.partition("::")[0]])


def pytest_configure() -> None:
    """Let Ctrl-C reach what the tests start: a shell's background job ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI is set, turn a skipped test into a failed one: it proves nothing."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: expected no skipped test in CI, {reason}"
    return report


@pytest.fixture
def said(tmp_path: Path) -> Iterator[Any]:
    """The signal of a test's submission."""
    from tests.harness.living import Signal

    made = Signal(tmp_path)
    yield made
    made.close()
