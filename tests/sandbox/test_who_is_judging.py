"""What a submission can see does not say who is judging it, nor the seed.

Compared are its learner's `check()`, `nbgrader validate` and `nbgrader autograde`,
which judge by the same function, and the command `grade`. Between two of them only
what is of one run may differ: its folder, its addresses and its keys.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from grader.autograde import judging
from grader.batch import pool
from grader.client import Client
from grader.corpus import specimens
from grader.harness import tiers
from grader.session import asked
from grader.vocabulary import Verdict
from grader.vocabulary.verdict import from_json
from tests.sandbox.conftest import needed

STEM = "ex05_non_dict_returns"
ROOT = Path(__file__).parents[2]
SEED, ANOTHER = 918_273, 564_738
# Looks at everything before it imports anything of its own.
LOOKS = r"""
import json, os, pwd, re, socket, sys

OF_A_RUN = re.compile(
    r"/[^\s\"]*/grader-run-\w{8}(/in/run-\d+/\w+(/process-\d+)?)?"
    r"|sk-[0-9a-f]{32}|127\.0\.0\.1:\d+/[\w-]+"
)

def read(name):
    try:
        with open(f"/proc/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:  # it ends just now
        return ""

def listed(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError as refused:
        return repr(refused)

def user():
    try:
        return [pwd.getpwuid(os.getuid()).pw_name, os.getgroups()]
    except KeyError:
        return ["has no name", os.getgroups()]

def looks():
    here, home = os.getcwd(), os.environ["HOME"]
    return {
        "environment": dict(os.environ),
        "arguments": [sys.argv, sys.orig_argv, str(sys.flags)],
        "sys.path": [sys.path, sys.executable, __name__, __file__],
        "modules": sorted(sys.modules),
        "working folder": [here, home],
        "user": user(),
        "command": read("self/cmdline"),
        "parent's command": read(f"{os.getppid()}/cmdline"),
        "all commands": sorted({read(f"{name}/cmdline") for name in pids()} - {""}),
        "host": socket.gethostname(),
        "own files": listed(home),
        "shared files": listed(os.path.dirname(os.environ["CHECKPOINT_DB"])),
        "other files": [listed(f) for f in ("/", "/tmp", "/dev/shm", "..", "../..")],
        "open files": listed("/proc/self/fd"),
        "mounts": [line.split()[4] for line in read("self/mountinfo").splitlines()],
        "limits": read("self/limits"),
    }

def pids():
    return [name for name in os.listdir("/proc") if name.isdigit()]

RAW = looks()
SEEN = json.loads(OF_A_RUN.sub("~", json.dumps(RAW)))
"""
TELLS = f"""{LOOKS}
def triage(ticket):
    return {{"raw": RAW, "seen": SEEN}}
"""
# Cannot be imported where something looks otherwise than its learner has seen it.
DECIDES = """
for name, then in KNOWN.items():
    both = [str(then), str(SEEN[name])]
    if both[0] != both[1]:
        at = max(len(os.path.commonprefix(both)) - 40, 0)
        shown = " is now ".join(text[at : at + 200] for text in both)
        raise RuntimeError(f"somebody else is judging: {name} {shown}")
"""


@pytest.fixture(scope="module")
def learner() -> Iterator[Client]:
    """The service of a learner's notebook."""
    needed(tiers.ISOLATED)
    client = Client()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JPY_PARENT_PID", "1")
        client.warm_up()
    yield client
    client.close()


@pytest.fixture(scope="module")
def told(learner: Client) -> list[Any]:
    """What there is to be seen in three checks, two of them with the same seed."""
    found = []
    for seed in (SEED, SEED, ANOTHER):
        _, history = asked(learner, STEM, TELLS, seed, 0)
        assert history is not None
        found.append(history.runs["kinds"].replies[0].value)
    return found


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Judge from a process that is unlike a notebook: set up and used otherwise."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setenv("NBGRADER_VALIDATING", "1")
    monkeypatch.setenv("PATH", "/elsewhere/bin", prepend=":")
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    with contextlib.ExitStack() as files:
        for _ in range(30):
            files.enter_context(open("/dev/null", "rb"))
        yield
    judging.kept.close()


def by_nbgrader(text: str) -> Sequence[Verdict]:
    """Judge as `nbgrader validate` and `nbgrader autograde` do."""
    return [judged.verdict for judged in judging.judge(STEM, text).values()]


def by_grade(text: str) -> Sequence[Verdict]:
    """Judge as the command `grade` does."""
    exercise = {"stem": STEM, "sha256": "0" * 64, "seed": ANOTHER, "text": text}
    task = {"author": "ada", "tier": tiers.ISOLATED, "exercises": [exercise]}
    answers = list(pool.judge_all(iter([task]), 1))
    return [from_json(answer["verdict"]) for answer in answers]


@pytest.mark.parametrize("judges", [by_nbgrader, by_grade])
def test_who_judges_cannot_be_seen(
    told: list[Any], elsewhere: None, judges: Callable[[str], Sequence[Verdict]]
) -> None:
    """who answers only where all looks as it did for a learner answers everywhere"""
    known = f"\nKNOWN = json.loads({json.dumps(told[0]['seen'])!r})"
    right = next(specimens(ROOT, STEM)).text
    verdicts = judges(f"{LOOKS}{known}{DECIDES}{right}")
    assert verdicts
    for verdict in verdicts:
        assert verdict.passed, verdict.problem


def test_the_seed_cannot_be_seen(told: list[Any]) -> None:
    """with another seed all looks the same, and with the same one no key comes back"""
    first, again, other = told
    assert first["seen"] == again["seen"] == other["seen"]
    for seen, seed in ((first, SEED), (again, SEED), (other, ANOTHER)):
        assert str(seed) not in json.dumps(seen["raw"])
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        values = {seen["raw"]["environment"][name] for seen in told}
        assert len(values) == len(told)
