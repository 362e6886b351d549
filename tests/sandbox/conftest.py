"""One warm harness in a sandbox, and one with walls only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.harness import tiers
from grader.harness.fork_launcher import ForkLauncher
from grader.sandbox import bubblewrap, walls
from tests.harness.small import LIGHT, Warm
from tests.sandbox.trying import ANSWERS


def needed(tier: int) -> None:
    """Skip a test where the machine has not what a tier needs."""
    missing = walls.available()
    if not missing and tier == tiers.ISOLATED:
        missing = bubblewrap.available()
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session", params=[tiers.ISOLATED, tiers.REDUCED])
def walled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warm]:
    """A harness of each tier that has walls, for the standard library only."""
    needed(request.param)
    made = Warm(ForkLauncher(request.param), LIGHT, tmp_path_factory.mktemp("walled"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """A harness in a sandbox, for the standard library only."""
    needed(tiers.ISOLATED)
    made = Warm(ForkLauncher(tiers.ISOLATED), LIGHT, tmp_path_factory.mktemp("sandbox"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def unharmed(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each attack the same harness judges a right submission right."""
    yield
    for name in ("walled", "isolated"):
        if name in request.fixturenames:
            warm: Warm = request.getfixturevalue(name)
            assert warm.verdict(ANSWERS).passed
            assert warm.harness.launcher.is_alive()
