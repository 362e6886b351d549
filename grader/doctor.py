"""The command `doctor`: what is installed, what is missing, and what that costs."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from grader.harness import nginx, tiers
from grader.harness.canary import ONLY_ISOLATED
from grader.harness.limits import DISK_NEEDED_B, MIB
from grader.postgres import programs

PACKAGES = (
    "langgraph",
    "langgraph-checkpoint-sqlite",
    "langchain-openai",
    "jupyterlab",
    "nbgrader",
    "ipywidgets",
    "matplotlib",
)
PROGRAMS = {
    "chromium": ("the tests that open a notebook in a browser are not run", "chromium"),
    "chromedriver": (
        "the tests that open a notebook in a browser are not run",
        "chromium-driver",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; only `needed` ones make the command fail."""

    what: str
    found: str
    cost: str = ""
    needed: bool = False


def findings() -> Iterator[Finding]:
    """Look at everything that the course can use on this machine."""
    version = sys.version.split()[0]
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    cost = "" if supported else "expected Python 3.11, 3.12 or 3.13: run `make env`"
    yield Finding("Python", version, cost, needed=True)
    for name in PACKAGES:
        try:
            yield Finding(name, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            cost = "the course does not run without it: run `make env`"
            yield Finding(name, "missing", cost, needed=True)
    forks = hasattr(os, "fork")
    cost = "" if forks else "processes are spawned, so a check takes seconds longer"
    yield Finding("fork", "yes" if forks else "no", cost)
    for name, (cost, package) in PROGRAMS.items():
        path = shutil.which(name)
        missing = f"{cost}; install the system package {package}"
        yield Finding(name, path or "missing", "" if path else missing)
    yield _postgres()
    found = nginx.look()
    cost = f"the servers of ex10 are reached without a balancer: {found.problem}"
    name = f"nginx {found.version}, {found.path}" if found.version else "missing"
    yield Finding("nginx", name, cost if found.problem else "")
    yield Finding("sandbox", tiers.NAMES[tiers.best()], _weakness(tiers.best()))
    free = shutil.disk_usage(tempfile.gettempdir()).free
    cost = "" if free > DISK_NEEDED_B else f"expected {DISK_NEEDED_B // MIB} MiB"
    yield Finding("free for runs", f"{free // MIB} MiB", cost, needed=True)
    model = os.environ.get("GRADER_MODEL_URL")
    yield Finding("GRADER_MODEL_URL", model or "not set: the stand-in model answers")


def _weakness(tier: int) -> str:
    """Return what a tier costs, and what a submission can do in it."""
    if tier == tiers.ISOLATED:
        return ""
    missing = tiers.why_not_isolated() or f"{tiers.SETTING} asks for less"
    cost = f"submissions of others are refused below isolated: {missing}"
    if tier == tiers.NOT_ISOLATED:
        return f"{cost}; one can do all that you can"
    able = ", ".join(sorted(ONLY_ISOLATED - {"be root"}))
    return f"{cost}; one can {able}"


def _postgres() -> Finding:
    if os.environ.get("DATABASE_URL"):
        return Finding("PostgreSQL", "the server that DATABASE_URL names")
    try:
        found = programs.find()
    except programs.Unavailable as missing:
        cost = f"what needs PostgreSQL is not run: {missing}"
        return Finding("PostgreSQL", "missing", cost)
    return Finding("PostgreSQL", f"{found.version}, {found.folder}")


def doctor() -> int:
    """Print the findings; return 1 when something needed is missing."""
    found = list(findings())
    width = max(len(finding.what) for finding in found)
    for finding in found:
        mark = "✓" if not finding.cost else ("✗" if finding.needed else "–")
        print(f"{mark} {finding.what:<{width}}  {finding.found}")
        if finding.cost:
            print(f"  {'':<{width}}  {finding.cost}")
    return int(any(finding.needed and finding.cost for finding in found))
