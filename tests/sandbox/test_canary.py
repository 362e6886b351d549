"""The canary finds each wall that is missing, and names the tier that holds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.harness import launch, tiers, zygote
from grader.harness.fork_launcher import ForkLauncher
from grader.sandbox import bubblewrap
from tests.harness.small import LIGHT, Warm
from tests.sandbox.conftest import needed

ANSWERS = "def chat(thread_id, text):\n    return 'a'\n"
Change = Callable[[dict[str, Any]], Any]


class Weak(ForkLauncher):
    """A launcher that has forgotten a wall."""

    def __init__(self, tier: int, change: Change) -> None:
        super().__init__(tier)
        settings = self._around.settings

        def weak(place: Any) -> dict[str, Any]:
            found = settings(place)
            change(found["plan"])
            return found

        self._around.settings = weak  # type: ignore[method-assign]


def found(tmp_path: Path, launcher: ForkLauncher) -> tuple[int, dict[str, str]]:
    """Return what the canary says of a launcher."""
    one = Warm(launcher, LIGHT, tmp_path)
    try:
        return one.harness.tier, one.harness.got_through
    finally:
        one.close()


def test_tier_holds(walled: Warm) -> None:
    """nothing gets through the walls, and the verdict says which they are"""
    assert walled.harness.got_through == {}
    tier = walled.harness.tier
    assert tier == walled.harness.launcher.tier
    assert walled.verdict(ANSWERS).tier == tiers.NAMES[tier]


@pytest.mark.parametrize(
    ("flag", "attack"),
    [
        ("--unshare-net", "connect to the machine"),
        ("--unshare-pid", "see the machine's processes"),
    ],
)
def test_sandbox_without(
    tmp_path: Path, flag: str, attack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a sandbox without one of its namespaces is not called isolated"""
    needed(tiers.ISOLATED)
    built = bubblewrap.arguments

    def less(*given: Any) -> list[str]:
        return [argument for argument in built(*given) if argument != flag]

    monkeypatch.setattr(bubblewrap, "arguments", less)
    tier, through = found(tmp_path, ForkLauncher(tiers.ISOLATED))
    assert attack in through
    assert tier > tiers.ISOLATED


@pytest.mark.parametrize(
    ("change", "attack"),
    [
        (lambda plan: plan.update(read=["/"]), "read the grader's files"),
        (lambda plan: plan.update(write=["/"]), "write beside its own folders"),
        (lambda plan: plan.update(connect=None), "connect to the machine"),
    ],
    ids=["read", "write", "network"],
)
def test_walls_without(tmp_path: Path, change: Change, attack: str) -> None:
    """walls with a hole are no tier at all"""
    needed(tiers.REDUCED)
    tier, through = found(tmp_path, Weak(tiers.REDUCED, change))
    assert attack in through
    assert tier == tiers.NOT_ISOLATED


@pytest.mark.parametrize("gone", ["landlock", "seccomp"])
def test_without_a_mechanism(
    tmp_path: Path, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """neither Landlock nor seccomp can be left out without the canary's notice"""
    needed(tiers.ISOLATED)
    package = Path(launch.PACKAGE_ROOT)
    for module in tiers._modules():
        copy = tmp_path / "copied" / module.relative_to(package)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(module, copy)
    shutil.copy(zygote.__file__, tmp_path / "copied" / "grader" / "harness")
    copy = tmp_path / "copied" / "grader" / "sandbox" / "walls.py"
    text = copy.read_text()
    line = {"landlock": "landlock.restrict(", "seccomp": "self._filter.load("}[gone]
    assert line in text
    copy.write_text(text.replace(line, "print("))
    monkeypatch.setattr(launch, "PACKAGE_ROOT", str(tmp_path / "copied"))
    tier, through = found(tmp_path, ForkLauncher(tiers.ISOLATED))
    missing = {"landlock": "signal another process", "seccomp": "mount"}[gone]
    assert missing in through
    assert tier == tiers.NOT_ISOLATED


def test_asked_for_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """the environment can ask for less isolation than there is, never for more"""
    best = tiers.best.__wrapped__
    monkeypatch.setenv(tiers.SETTING, "3")
    assert best() == tiers.NOT_ISOLATED
    monkeypatch.setenv(tiers.SETTING, "1")
    monkeypatch.setattr(bubblewrap, "available", lambda: "expected bwrap")
    assert best() >= tiers.REDUCED
