"""Warm harnesses, one of each kind for all tests of a worker, and scratch folders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from grader.harness import tiers
from grader.harness.fork_launcher import ForkLauncher
from grader.harness.launch import Launcher
from grader.harness.preloaded import PRELOAD
from tests.harness.small import LIGHT, Warm

Fresh = Callable[..., Warm]


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A folder for temporary files, so that what is left in it is this test's."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """A harness that has preloaded all the libraries, in a sandbox if it can."""
    made = Warm(ForkLauncher(tiers.best()), PRELOAD, tmp_path_factory.mktemp("warm"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """A harness for submissions that import the standard library only."""
    made = Warm(ForkLauncher(), LIGHT, tmp_path_factory.mktemp("light"))
    yield made
    made.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    """Make harnesses of a test's own, which it may break."""
    made: list[Warm] = []

    def make(
        launcher: Launcher | None = None,
        preload: Iterable[str] = LIGHT,
        folder: Path | None = None,
    ) -> Warm:
        made.append(Warm(launcher or ForkLauncher(), preload, folder or tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.close()
