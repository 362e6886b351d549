"""Says which sentences of the notebooks the newest releases have made untrue."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
FACTS = ROOT / "tests/drift"
COMPANIONS = (
    *("langgraph", "langgraph-checkpoint", "langgraph-prebuilt"),
    *("langgraph-checkpoint-sqlite", "langgraph-checkpoint-postgres"),
    *("langchain-core", "langchain-openai", "openai"),
)
# What the facts are proved with, in the versions that are here.
TOOLS = (
    *("pytest", "pytest-timeout", "pytest-xdist"),
    *("fastapi", "httpx", "requests", "starlette", "uvicorn"),
    *("aiosqlite", "psycopg", "psycopg-binary", "psycopg-pool"),
)
INSTALL_S, RUN_S = 600, 900
HOLDS, DRIFTED, BROKEN = 0, 1, 3
WORDS = {True: "holds", None: "not run", False: "DRIFTED"}  # from good to bad
LOST = "no test was run: its file could not be imported, or the test is gone"
VERSIONS = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"
Sentences = Mapping[str, Mapping[str, Sequence[str]]]  # fact, stem, quotes


@dataclass(frozen=True, slots=True)
class Result:
    """What one test found; it `holds`, or not, or None where it could not be run."""

    fact: str
    holds: bool | None
    claim: str = ""
    expected: str = ""
    found: str = ""


def drift(versions: Sequence[str] = (), prereleases: bool = False) -> int:
    """Prove the facts with the newest releases; print a table, return the exit status.

    Arguments:
        versions: requirements such as "langgraph==1.1.*", in place of the newest.
        prereleases: whether a release that is not yet final counts as the newest.
    """
    sentences = tomllib.loads((FACTS / "sentences.toml").read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="drift-") as name:
        folder, scripts = Path(name), "Scripts" if os.name == "nt" else "bin"
        python = folder / "env" / scripts / "python"
        complaint = install(folder / "env", python, versions, prereleases)
        if complaint:
            print("nothing was checked: the releases could not be installed")
            print(textwrap.indent(complaint, "  "))
            print("help: this needs a package index, and so a network")
            return BROKEN
        print("\n".join(compared(python)), end="\n\n", flush=True)
        return report(run(python, FACTS, folder / "results.xml"), sentences)


def install(env: Path, python: Path, versions: Sequence[str], prereleases: bool) -> str:
    """Make an environment of the newest releases; return why that did not work."""
    given = {re.split(r"[^\w-]", text)[0] for text in versions}
    wanted = [*versions, *(name for name in COMPANIONS if name not in given)]
    wanted += [f"{name}=={metadata.version(name)}" for name in TOOLS]
    base = getattr(sys, "_base_executable", sys.executable)
    uv = ["uv", "pip", "install", "--quiet", "--python", str(python), *wanted]
    pip = [str(python), "-m", "pip", "install", "-q", *wanted]
    uv += ["--prerelease=allow"] * prereleases
    pip += ["--pre"] * prereleases
    made = ["uv", "venv", "--no-project", "--python", base, str(env)]
    if shutil.which("uv") and not (_complaint(made) or _complaint(uv)):
        return ""
    return _complaint([base, "-m", "venv", "--clear", str(env)]) or _complaint(pip)


def _complaint(command: Sequence[str]) -> str:
    try:
        ended = _ran(command, INSTALL_S)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem)
    last = (ended.stderr or ended.stdout).strip().splitlines()[-5:]
    return ("\n".join(last) or "no reason was given") if ended.returncode else ""


def _ran(command: Sequence[str], limit_s: float) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    more: Any = {"cwd": ROOT, "env": env, "capture_output": True, "text": True}
    return subprocess.run(command, timeout=limit_s, **more)


def compared(python: Path) -> Iterator[str]:
    """Yield a table of the versions that are installed here and there."""
    there = _ran([str(python), "-c", VERSIONS, *COMPANIONS], RUN_S).stdout.split()
    yield f"{'package':<32}{'here':<12}checked"
    for name, other in zip(COMPANIONS, there, strict=True):
        here = metadata.version(name)
        yield f"{name:<32}{here:<12}{other}{'' if here == other else '  (differs)'}"


def run(python: Path, tests: Path, xml: Path) -> list[Result]:
    """Run the facts of a folder with an interpreter; return what they found."""
    options = ["-m", "fact", "-p", "no:cacheprovider", f"--junit-xml={xml}"]
    ended = _ran([str(python), "-m", "pytest", *options, str(tests)], RUN_S)
    if not xml.exists():
        raise RuntimeError(f"expected a report of pytest, found\n{ended.stdout}")
    return [_result(case) for case in ElementTree.parse(xml).iter("testcase")]


def _result(case: ElementTree.Element) -> Result:
    told = {p.get("name", ""): p.get("value", "") for p in case.iter("property")}
    # A file that cannot be imported is a case without a fact.
    fact = told.pop("fact", "") or f"{case.get('classname')}{case.get('name')}"
    for kind, holds in (("failure", False), ("error", False), ("skipped", None)):
        problem = case.find(kind)
        if problem is not None:
            told.setdefault("found", problem.text or problem.get("message") or "")
            return Result(fact, holds, **told)
    return Result(fact, True, **told)


def report(results: Sequence[Result], sentences: Sentences) -> int:
    """Print what holds, and each sentence that does not; return the exit status."""
    seen = {result.fact for result in results}
    missing = [Result(fact, False, found=LOST) for fact in {*sentences} - seen]
    # A fact with several tests holds when all of them do.
    ranked = sorted(results, key=lambda result: [*WORDS].index(result.holds))
    worst = dict(sorted({one.fact: one for one in [*ranked, *missing]}.items()))
    for fact, result in worst.items():
        print(f"{WORDS[result.holds]:<9}{fact}")
    drifted = [result for result in worst.values() if result.holds is False]
    for result in drifted:
        print(f"\nno longer true: {result.fact}\n  claim     {result.claim}")
        for stem, quotes in sentences.get(result.fact, {}).items():
            print(*(f"  notebook  {stem}: {quote}" for quote in quotes), sep="\n")
        print(f"  expected  {result.expected or 'what the claim says'}")
        print(f"  found     {result.found.strip()}")
    print(f"\n{len(worst)} facts, {len(drifted)} no longer true")
    return DRIFTED if drifted else HOLDS
