"""What runs beside a submission imports nothing of the supervisor."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from grader.harness import tiers
from tests.package import PACKAGE, imports, own

# What runs beside a submission, in its process or above it: it knows nothing of the
# supervisor, so a submission cannot learn of it either.
UNTRUSTED = {
    "descendants",
    "enclosure",
    "forked",
    "forkserver",
    "preloading",
    "rehearsal",
    "serving",
    "spawned",
    "worker",
    "zygote",
}
WALLS = {
    *("folders", "forwarder", "joining", "landlock", "mounts", "syscalls"),
    "walls",
}


@pytest.mark.parametrize("name", sorted(UNTRUSTED))
def test_untrusted_side(name: str) -> None:
    """what runs beside a submission knows the limits and nothing of the supervisor"""
    path = PACKAGE / "harness" / f"{name}.py"
    if not path.is_file():
        pytest.skip(f"there is no {name} now")
    allowed = {f"grader.harness.{other}" for other in UNTRUSTED | {"limits"}}
    allowed |= {f"grader.sandbox.{other}" for other in WALLS} | {"grader.sandbox"}
    assert own(path) <= allowed


def test_what_is_in_a_sandbox() -> None:
    """what is shown inside a sandbox is what the untrusted side imports, and no more"""
    shown, asked = set(tiers.HARNESS) | set(tiers.SANDBOX), ["forkserver", "rehearsal"]
    needed: set[str] = set()
    while asked:
        name = asked.pop()
        if name not in needed:
            needed.add(name)
            folder = "sandbox" if name in WALLS else "harness"
            found = own(PACKAGE / folder / f"{name}.py")
            asked += [module.rpartition(".")[2] for module in found]
    assert shown == needed - {"sandbox"}


@pytest.mark.parametrize(
    "path",
    [*(PACKAGE / "vocabulary").glob("*.py"), PACKAGE / "harness" / "worker.py"],
    ids=lambda path: path.stem,
)
def test_standard_library_only(path: Path) -> None:
    """the vocabulary and the worker need nothing that must be installed"""
    roots = {name.split(".")[0] for name in imports(path)}
    assert roots - {"grader"} <= set(sys.stdlib_module_names)
