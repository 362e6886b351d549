"""Workers are forked from warm libraries, and share nothing a submission made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader import catalog, runner
from grader.harness.launch import GraderBroke
from grader.harness.preloaded import PRELOAD
from grader.harness.process import SubmissionBroken
from grader.harness.spawn_launcher import SpawnLauncher
from grader.vocabulary import Status, process
from tests.harness.conftest import Fresh
from tests.harness.small import Warm, exercise

CORPUS = Path(__file__).parents[1] / "submissions" / "ex04_memory_saver"
DATA = ("look(what) -> data",)

# `sys.modules` is read before anything of the submission's own is imported.
LOOKS = """
import sys
before = sorted(set(sys.modules) - {__name__})
import os, random, threading

def look(what):
    return {
        "modules": lambda: before,
        "threads": lambda: len(os.listdir("/proc/self/task")),
        "random": lambda: [random.random(), os.getpid()],
        "environment": lambda: dict(os.environ),
        "cwd": lambda: [os.getcwd(), os.listdir()],
        "session": lambda: [os.getpid(), os.getsid(0), os.getpgid(0)],
        "files": lambda: sorted(map(int, os.listdir("/proc/self/fd"))),
        "line": lambda: 1,
        "parent": lambda: os.getppid(),
    }[what]()
"""


def look(warm: Warm, what: str, text: str = LOOKS, processes: int = 1) -> list[Any]:
    """Return what each process of a submission saw."""
    calls = [process(n).calls("look", what) for n in range(processes)]
    order = warm.order(text, exercise(*calls, contract=DATA))
    run = warm.run(warm.harness.run(order)).runs["only"]
    return [reply.value for reply in run.replies]


def test_preloads(warm: Warm) -> None:
    """every library is there before the first line of a submission runs"""
    assert warm.harness.launcher.preload_problems == {}
    (modules,) = look(warm, "modules")
    assert {name.partition(":")[0] for name in PRELOAD} <= set(modules)


def test_imports_nothing_twice(warm: Warm) -> None:
    """importing what is preloaded brings no further module: nothing is half imported"""
    submission = (CORPUS / "right" / "sqlite_saver.py").read_text()
    imports = [x for x in submission.splitlines() if x.startswith(("import", "from"))]
    lines = ["import sys", "before = set(sys.modules)", *imports]
    lines += ["after = set(sys.modules)", "def look(what):"]
    text = "\n".join([*lines, "    return sorted(after - before)"])
    assert look(warm, "modules", text) == [[]]


def test_failed_preload_is_reported(fresh: Fresh) -> None:
    """a library that cannot be preloaded is named, with the reason, and costs no run"""
    one = fresh(preload=("json", "no_such_library", "grader.harness.worker"))
    problems = one.harness.launcher.preload_problems
    assert list(problems) == ["no_such_library"]
    assert "No module named 'no_such_library'" in problems["no_such_library"]
    assert look(one, "line") == [1]


def test_crashed_preload_is_reported(fresh: Fresh) -> None:
    """a preload that ends its process is an error that says what it wrote"""
    with pytest.raises(GraderBroke, match="the forkserver did not start"):
        fresh(preload=("sys:exit",))


def test_edit_is_never_stale(light: Warm) -> None:
    """of two submissions in a row the second one runs, also if they look alike"""
    first = "def look(what):\n    return 1\n"
    assert [look(light, "", first.replace("1", n)) for n in "12"] == [[1], [2]]


def test_nothing_survives(light: Warm) -> None:
    """modules, variables, working folder and files of a run are unknown to the next"""
    leaves = """
    import json, os, sys, random
    sys.modules["left_behind"] = json
    json.left_behind = True
    os.environ["LEFT_BEHIND"] = "1"
    open("left_behind", "w").close()
    sys.path.append("left_behind")
    def look(what):
        os.chdir("/")
        return 1
    """
    finds = """
    import json, os, sys
    def look(what):
        places = [*sys.modules, *vars(json), *os.environ, *os.listdir(), *sys.path]
        return [place for place in places if "left_behind" in place]
    """
    assert look(light, "", leaves) == [1]
    assert look(light, "", finds) == [[]]


def test_random_differs(light: Warm) -> None:
    """two processes draw different random numbers, though both are forked from one"""
    drawn = look(light, "random", processes=3)
    assert len({number for number, _ in drawn}) == 3
    assert len({pid for _, pid in drawn}) == 3


def test_one_native_thread(warm: Warm) -> None:
    """a process starts with one OS thread, so that no lock was copied while held"""
    assert look(warm, "threads", processes=2) == [1, 1]


def test_own_session(light: Warm) -> None:
    """each process leads a session and a group of its own"""
    for pid, session, group in look(light, "session", processes=2):
        assert (session, group) == (pid, pid)


def test_few_files(light: Warm) -> None:
    """a process has its streams and its channel open, and nothing of the grader's"""
    (files,) = look(light, "files")
    assert files[:3] == [0, 1, 2]
    assert len(files) <= 3 + 1 + 1  # the channel, and the folder that is listed


def test_environment(light: Warm) -> None:
    """a process has the fakes' addresses, and nothing of the user's own"""
    (environment,) = look(light, "environment")
    expected = {"CHECKPOINT_DB", "HOME", "OPENAI_API_KEY", "OPENAI_BASE_URL", "TMPDIR"}
    assert expected <= set(environment)
    assert not [name for name in environment if name.startswith(("PYTEST", "GRADER"))]


def test_answers_orders_in_pieces(light: Warm) -> None:
    """a call with a large argument arrives whole"""
    text = "def look(what):\n    return len(what)\n"
    calls = [process(0).calls("look", "x" * 300_000)]
    run = light.run(
        light.harness.run(light.order(text, exercise(*calls, contract=DATA)))
    ).runs["only"]
    assert run.replies[0].value == 300_000


def test_stopped_forkserver(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """a forkserver that a submission has stopped is an error, and does not hang"""
    monkeypatch.setattr("grader.harness.line.OBEY_LIMIT_S", 0.3)
    one = fresh()
    text = """
    import os, signal
    def look(what):
        os.kill(os.getppid(), signal.SIGSTOP)
        return 1
    """
    made = exercise(process(0).calls("look", "a"), process(0).restarts(), contract=DATA)
    verdict = one.outcome(text, made).verdict
    assert [result.status for result in verdict.results] == [Status.error]
    assert "forkserver" in verdict.results[0].rationale


def test_delayed_supervisor(fresh: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    """a supervisor that hears late of a kill does not take it for disobedience"""
    monkeypatch.setattr("grader.harness.line.OBEY_LIMIT_S", 0.2)
    one = fresh()
    root = psutil.Process(one.harness.launcher.root_pid())

    async def kill_and_be_away() -> None:
        job = await one.run_one_worker()
        worker = psutil.Process(job.pid)
        one.harness.launcher.kill(job.pid)
        worker.wait(20)  # the loop stands still meanwhile
        with pytest.raises(psutil.TimeoutExpired):
            root.wait(0.3)  # longer than the limit
        assert await job.ended == -9

    one.run(kill_and_be_away())
    assert one.harness.launcher.is_alive()
    assert look(one, "line") == [1]


def test_quick_end(light: Warm) -> None:
    """the end of a process is known however soon after its start it comes"""
    text = "import os\nos._exit(7)\n"
    order = light.order(text, exercise())
    for _ in range(30):
        with pytest.raises(SubmissionBroken) as raised:
            light.run(light.harness.run(order))
        assert "ended with exit code 7" in raised.value.seen.data["message"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "passes"),
    [("right/sqlite_saver.py", True), ("wrong/starter_memory_saver.py", False)],
)
def test_spawned_alike(warm: Warm, fresh: Fresh, file: str, passes: bool) -> None:
    """processes that are spawned give the verdict of processes that are forked"""
    stem = "ex04_memory_saver"
    text, whole = (CORPUS / file).read_text(), catalog.load(stem)
    # A call, a kill and a resume; every further process costs a second of imports.
    checks = {name: whole.checks[name] for name in list(whole.checks)[:2]}
    made = replace(whole, checks=checks)
    verdicts = []
    for one in (warm, fresh(SpawnLauncher(), ())):
        outcome = one.run(runner.check(one.harness, stem, made, text, seed=4711))
        verdicts.append(outcome.verdict)
    forked, spawned = verdicts
    assert forked.passed is passes
    assert not spawned.unknown, json.dumps(spawned.to_json(), indent=1)
    ends = [[(r.check, r.status, r.score) for r in v.results] for v in verdicts]
    assert ends[0] == ends[1]
