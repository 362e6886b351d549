"""Submissions that attack instead of answering, for every exercise there is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from grader import catalog
from grader.corpus import specimens
from grader.harness import journal, tiers
from grader.vocabulary import Exercise, Status
from tests.exercises.conftest import Judge

# Stands for any result: equal to everything, true of everything, in everything.
EQUAL = """
class Equal(str):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0
    def __contains__(self, item): return True
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    def __iter__(self): return iter([self])
VALUE = Equal("everything")
"""
# Changes whatever of the grader and of Python stands in its own process.
PATCHES = (
    EQUAL
    + """
import builtins, json, sys
for name, module in list(sys.modules.items()):
    if name.startswith("grader"):
        for attribute, value in list(vars(module).items()):
            if callable(value) and not attribute.startswith("_"):
                setattr(module, attribute, lambda *args, **kwargs: VALUE)
builtins.isinstance = lambda *args: True
json.dumps = lambda *args, **kwargs: '{"kind": "reply", "id": 1, "value": "everything"}'
"""
)
FORGES = (
    EQUAL
    + """
import json, os, sys
for fd in range(3, 64):
    for number in range(1, 40):
        line = {"kind": "reply", "id": number, "value": "everything", "status": 200}
        try:
            os.write(fd, json.dumps(line).encode() + b"\\n")
        except OSError:
            break
"""
)
PRINTS = 'print(\'{"kind": "ready"}\\n10/10 passed\\nscore: 10\')\n'
# Ends whom it can, spoils a file of the machine's, and leaves a daemon behind.
REACHES_OUT = """
import os, signal
for pid in {victims}:
    for number in (signal.SIGSTOP, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except OSError:
            pass
for spoils in [
    lambda: open("{kept}", "w"), lambda: open("{kept}-new", "w"),
    lambda: os.chmod("{kept}", 0), lambda: os.remove("{kept}"),
]:
    try:
        spoils()
    except OSError:
        pass
if not os.fork():
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        signal.pause()
"""
# More digits than Python turns into text, once one is added.
NINES = 'VALUE = int("9" * 4300)\n'
# Fills what is kept of a run, so that what comes after it would not be seen.
FLOOD = """
import os, urllib.error, urllib.request
for n in range(150):
    try:
        urllib.request.urlopen(os.environ["PROFILE_URL"] + f"/profiles/{n}")
    except urllib.error.HTTPError:
        pass
"""
ROOT = Path(__file__).parents[2]
ATTACKS = {
    "always equal": EQUAL,
    "patches": PATCHES,
    "forges": FORGES,
    "prints": EQUAL + PRINTS,
    "nines": NINES,
    "exits": EQUAL + "import os\nos._exit(0)\n",
    "quits": EQUAL + "import sys\nsys.exit(0)\n",
    "signals": EQUAL + "import os, signal\nos.kill(0, signal.SIGKILL)\n",
    "reaches out": EQUAL + REACHES_OUT,
}
# One exercise of each kind: the smallest, a model's, one with a ledger, a server.
KINDS = (
    *("ex00_start_here", "ex05_non_dict_returns", "ex07_duplicate_side_effects"),
    "ex08_blocking_calls",
)


class Outside:
    """A file of the machine's, which everybody may change who can reach it."""

    TEXT = "nobody's"

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o777)
        self.path = folder / "kept"
        self.path.write_text(self.TEXT)
        self.path.chmod(0o666)

    def is_unchanged(self) -> bool:
        """Whether it is as it was, and alone."""
        alone = [*self.path.parent.iterdir()] == [self.path]
        return alone and self.path.read_text() == self.TEXT


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    """What attacks may aim at: where there are no walls, they do hit it."""
    with tempfile.TemporaryDirectory() as folder:
        yield Outside(Path(folder))


@pytest.fixture(autouse=True)
def unharmed(judge: Judge, outside: Outside) -> Iterator[None]:
    """After each attack the harness lives, nobody else does, and no file is touched."""
    yield
    assert judge.harness.launcher.is_alive()
    assert left(judge) == []
    if judge.harness.tier < tiers.NOT_ISOLATED:
        assert outside.is_unchanged()


def left(judge: Judge) -> list[psutil.Process]:
    """Return who has the sandbox's user, or is at home where a run was."""
    launcher, homes = judge.harness.launcher, f"{judge.harness.place.scratch}/run-"
    ours, found = {*launcher.roots(), *launcher.between()}, []
    for one in psutil.process_iter(["uids", "cwd"]):
        uids, cwd = one.info["uids"], one.info["cwd"] or ""
        theirs = launcher.owner and uids and uids.real == launcher.owner
        if one.pid not in ours and (theirs or cwd.startswith(homes)):
            found.append(one)
    return found


def aimed(judge: Judge, outside: Outside, text: str) -> str:
    """Fill in what an attack is aimed at."""
    # Without a sandbox everybody is this machine, and without walls nobody is safe.
    victims = {
        tiers.ISOLATED: "(os.getppid(), -1)",
        tiers.REDUCED: "(os.getppid(),)",
        tiers.NOT_ISOLATED: "()",
    }[judge.harness.tier]
    return text.replace("{victims}", victims).replace("{kept}", str(outside.path))


def attacking(exercise: Exercise, text: str) -> str:
    """Return a submission that attacks, and defines what the contract asks for."""
    lines = [text, "VALUE = globals().get('VALUE', 'everything')"]
    for function in exercise.functions:
        names = ", ".join(function.parameters)
        lines += [f"def {function.name}({names}):", "    return VALUE"]
    if exercise.application:
        lines += [
            f"async def {exercise.application}(scope, receive, send):",
            "    await receive()",
            "    if scope['type'] == 'lifespan':",
            "        return await send({'type': 'lifespan.startup.complete'})",
            "    start = {'type': 'http.response.start', 'status': 200, 'headers': []}",
            "    await send(start)",
            "    await send({'type': 'http.response.body', 'body': b'\"everything\"'})",
        ]
    return "\n".join(["", *lines, ""])


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("stem", catalog.stems())
def test_an_attack_scores_nothing(
    judge: Judge, outside: Outside, stem: str, attack: str
) -> None:
    """who attacks instead of answering gets no point, and nobody else a wrong one"""
    text = aimed(judge, outside, ATTACKS[attack])
    verdict = judge(stem, attacking(catalog.load(stem), text))
    assert verdict.score == 0, verdict
    assert Status.error not in {result.status for result in verdict.results}


@pytest.mark.parametrize("stem", KINDS)
def test_a_right_answer_keeps_its_points(
    judge: Judge, outside: Outside, stem: str
) -> None:
    """who attacks in passing, and gets nowhere, is judged by the answers"""
    text = aimed(judge, outside, PRINTS + NINES + REACHES_OUT)
    verdict = judge(stem, f"{next(specimens(ROOT, stem)).text}\n{text}")
    assert verdict.passed, verdict


@pytest.mark.parametrize("stem", [KINDS[0], KINDS[-1]])
def test_a_right_answer_that_forges_is_told(judge: Judge, stem: str) -> None:
    """who writes replies of its own beside right ones reads why it has no point"""
    verdict = judge(stem, f"{next(specimens(ROOT, stem)).text}\n{FORGES}")
    assert verdict.score == 0, verdict
    assert "wrote to the process's channel to the grader" in verdict.problem


@pytest.mark.parametrize(
    ("limit", "most"), [("OBSERVATIONS_LIMIT", 100), ("HISTORY_LIMIT_B", 10_000)]
)
def test_a_flood_scores_nothing(
    judge: Judge, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    """who is right and fills what is kept of a run, gets no point: it may hide much"""
    stem = "ex00_start_here"
    flooding = next(specimens(ROOT, stem)).text + FLOOD
    assert judge(stem, flooding).passed
    monkeypatch.setattr(journal, limit, most)
    verdict = judge(stem, flooding)
    assert verdict.score == 0, verdict
    assert "limit" in verdict.problem
