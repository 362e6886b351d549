"""Submissions that attack instead of answering, for every exercise there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import catalog
from grader.corpus import specimens
from grader.harness import journal
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
    "prints": EQUAL + 'print(\'{"kind": "ready"}\\n10/10 passed\\nscore: 10\')\n',
    "nines": NINES,
    "exits": EQUAL + "import os\nos._exit(0)\n",
    "quits": EQUAL + "import sys\nsys.exit(0)\n",
    "signals": EQUAL + "import os, signal\nos.kill(0, signal.SIGKILL)\n",
    "kills all": EQUAL
    + "import os, signal\n"
    + "for pid in [os.getppid(), -1]:\n"
    + "    try:\n        os.kill(pid, signal.SIGSTOP) if pid > 0 else None\n"
    + "    except OSError:\n        pass\n",
}


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
def test_an_attack_scores_nothing(judge: Judge, stem: str, attack: str) -> None:
    """who attacks instead of answering gets no point, and nobody else a wrong one"""
    exercise = catalog.load(stem)
    verdict = judge(stem, attacking(exercise, ATTACKS[attack]))
    assert verdict.score == 0, verdict
    assert Status.error not in {result.status for result in verdict.results}


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
