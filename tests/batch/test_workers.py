"""Judges that die: their tasks are done all the same, and neighbours keep theirs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.batch import worker
from grader.batch.task import judge_author
from grader.batch.worker import Refused, Worker
from grader.harness import harness, tiers
from tests.batch.classroom import (
    OTHER,
    RIGHT,
    STEM,
    Nursery,
    command,
    hand_in,
    lines,
    run,
    small_judge,
)
from tests.harness.living import survivors


def task(*texts: str, tier: int = 3) -> dict[str, Any]:
    """Return a task of these submissions, each of an exercise of its own."""
    stems = (STEM, OTHER, "ex05_non_dict_returns")
    exercises = [
        {"stem": stem, "sha256": f"{n:064}", "seed": n, "text": text}
        for n, (stem, text) in enumerate(zip(stems, texts, strict=False))
    ]
    return {"author": "ada", "tier": tier, "exercises": exercises}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let workers judge with the small judge; return the folder of its log."""
    monkeypatch.setattr(worker, "COMMAND", small_judge(tmp_path))
    return tmp_path


def test_poison(small: Path) -> None:
    """what kills its judge twice is an error for a person, its neighbours are judged"""
    one = Worker()
    answers = list(one.judge(task("x", "it dies", "y")))
    one.end()
    assert [answer["unknown"] for answer in answers] == [False, True, False]
    results = answers[1]["verdict"]["results"]
    assert {result["status"] for result in results} == {"error"}
    assert "its judge died 2 times over it: ended with exit code 9" in str(results)
    assert len((small / "judged.log").read_text().split()) == 4


def test_death_after_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """a judge that dies once it has answered costs nothing, and is replaced"""
    judge = small_judge(tmp_path)
    script = Path(judge[3]).read_text().replace("print('{\"done", "os._exit(9)  # ")
    (tmp_path / "judge.py").write_text(script)
    command = (*judge[:3], str(tmp_path / "judge.py"), judge[4])
    monkeypatch.setattr(worker, "COMMAND", command)
    one = Worker()
    answers = [*one.judge(task("x", "y")), *one.judge(task("z"))]
    one.end()
    assert [answer["unknown"] for answer in answers] == [False] * 3


def test_poison_in_a_class(nursery: Nursery, tmp_path: Path) -> None:
    """a class with such a submission ends with status 3, and says whom to look at"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    for author, text in {"ada": "x", "eve": "it dies", "bob": "y"}.items():
        hand_in(tree, author, text)
    assert nursery.grade(tree, "-o", out)["status"] == 3
    status = {line["author"]: line["status"] for line in lines(out)}
    assert status == {"ada": "judged", "eve": "error", "bob": "judged"}
    rows = (out / "grades.csv").read_text().splitlines()
    assert rows[3].startswith(f"eve,{STEM},error,,10,its judge died 2 times")
    assert "eve" not in (out / "canvas" / f"{STEM}.csv").read_text()
    # The same command does not try again, unless it is asked to.
    assert nursery.grade(tree, "-o", out)["status"] == 3
    assert len(nursery.judged()) == 4
    assert nursery.grade(tree, "-o", out, "--retry")["status"] == 3
    assert len(nursery.judged()) == 6


def test_a_judge_that_is_killed(tmp_path: Path) -> None:
    """a real judge that is killed at work is replaced, and nobody notices"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    for number in range(2):
        hand_in(tree, f"author{number}", f"{RIGHT.read_text()}\n# {number}\n")
    arguments = ("grade", tree, "-o", out, "--accept-tier", "3", "--workers", "1")
    process = command(*arguments)
    assert process.stderr is not None
    process.stderr.readline()
    started = psutil.Process(process.pid).children()
    (judge,) = (each for each in started if "grader.batch.task" in each.cmdline())
    below = judge.children(recursive=True)
    judge.kill()
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert survivors(below) == []
    assert [line["status"] for line in lines(out)] == ["judged", "judged"]


def test_refused_below_the_tier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """a machine that isolates less than is accepted judges nobody, and says why"""
    hand_in(tmp_path / "submitted", "ada", "x")
    monkeypatch.setenv("GRADER_TIER", "3")
    arguments = ("grade", tmp_path / "submitted", "-o", tmp_path / "out")
    for accepted in ((), ("--accept-tier", "2")):
        status, _, err = run(*arguments, *accepted)
        assert status == 2
        assert "found tier 3, not isolated" in err
        assert "help: `python -m grader doctor`" in err
    assert not (tmp_path / "out").exists()


def test_the_canary_has_its_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """a sandbox that an attack gets out of judges nobody, however it was started"""

    async def sings(*_: object) -> tuple[int, dict[str, str]]:
        return 3, {"reads the gradebook": "it did"}

    monkeypatch.setattr(harness.canary, "certify", sings)
    (answer,) = judge_author(task("x", tier=2))
    assert "found tier 3, not isolated" in answer["refused"]
    assert "the canary got through (reads the gradebook)" in answer["refused"]


def test_isolated_by_default(tmp_path: Path) -> None:
    """where there is a sandbox, nothing has to be accepted, and the verdict names it"""
    if why := tiers.why_not_isolated():
        pytest.skip(f"there is no sandbox: {why}")
    hand_in(tmp_path / "submitted", "ada", RIGHT.read_text())
    status, _, err = run("grade", tmp_path / "submitted", "-o", tmp_path / "out")
    assert status == 0, err
    (line,) = lines(tmp_path / "out")
    assert (line["verdict"]["tier"], line["verdict"]["score"]) == ("isolated", 10.0)


def test_a_worker_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """a worker on such a machine ends the run, and not in a grade"""
    judge = tmp_path / "refuses.py"
    judge.write_text('input(); print(\'{"refused": "too weak"}\', flush=True)')
    monkeypatch.setattr(worker, "COMMAND", (worker.COMMAND[0], str(judge)))
    one = Worker()
    with pytest.raises(Refused, match="too weak"):
        list(one.judge(task("x")))
    one.end()


def test_one_harness_for_an_author(monkeypatch: pytest.MonkeyPatch) -> None:
    """all exercises of an author are judged in one harness, in their order"""
    opened: list[int] = []
    enter = harness.Harness.__aenter__

    async def counted(self: harness.Harness) -> harness.Harness:
        opened.append(1)
        return await enter(self)

    monkeypatch.setattr(harness.Harness, "__aenter__", counted)
    broken = "raise RuntimeError('no')"
    answers = judge_author(task(RIGHT.read_text(), broken))
    assert len(opened) == 1
    assert [answer["stem"] for answer in answers] == [STEM, OTHER]
    assert answers[0]["verdict"]["score"] == 10
    assert "RuntimeError" in answers[1]["verdict"]["problem"]
    assert [answer["unknown"] for answer in answers] == [False, False]


def test_after_a_broken_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    """what breaks its harness twice is an error, and the next one gets a new harness"""
    from grader.harness.launch import GraderBroke

    run_it = harness.Harness.run

    async def breaks(self: harness.Harness, order: Any, *more: Any) -> Any:
        if "breaks it" in order.text:
            forkserver = psutil.Process(self.launcher.root_pid())
            forkserver.kill()
            await asyncio.to_thread(survivors, [forkserver])
            raise GraderBroke("the forkserver ended during the run")
        return await run_it(self, order, *more)

    monkeypatch.setattr(harness.Harness, "run", breaks)
    broken = "raise RuntimeError('no')"
    answers = judge_author(task("# breaks it", broken))
    assert [answer["unknown"] for answer in answers] == [True, False]


ACCEPTED = ("--accept-tier", "3")
NOBODY = ("--scheduler", "tcp://127.0.0.1:9")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["nowhere"], "found nothing at nowhere"),
        (["--workers", "0", "."], "expected 1 to 256 workers, found 0"),
        (["--exercise", "ex04", "."], 'did you mean "ex04_memory_saver"?'),
        (["--gradebook", "sqlite:///no/book.db", "."], "found no file no/book.db"),
        (["--gradebook", "no address", "."], "expected the gradebook's database"),
        ([*NOBODY, "solutions/ex00_start_here"], "expected a Dask scheduler at"),
    ],
)
def test_refused(tmp_path: Path, options: list[str], says: str) -> None:
    """what cannot work is refused before any work is done, with status 2"""
    out = tmp_path / "out"
    status, _, err = run("grade", "-o", out, "--accept-tier", "3", *options)
    assert (status, says in err) == (2, True), err
    assert not (out / "index.html").exists()


def test_nothing_found(tmp_path: Path) -> None:
    """a folder without submissions is refused, and the help says what is read"""
    (tmp_path / "in").mkdir()
    status, _, err = run("grade", tmp_path / "in", "-o", tmp_path / "o", *ACCEPTED)
    assert status == 2
    assert "expected notebooks (.ipynb) or modules (.py), found none" in err


def test_a_folder_of_somebody_else(nursery: Nursery, tmp_path: Path) -> None:
    """a folder that holds other files is neither written to nor cleared"""
    tree, out = tmp_path / "submitted", tmp_path / "course"
    hand_in(tree, "ada", "x")
    (out / "feedback").mkdir(parents=True)
    (out / "feedback" / "mine.html").write_text("mine")
    ended = nursery.grade(tree, "-o", out)
    assert ended["status"] == 2
    assert "found others' files" in ended["said"]
    assert [path.name for path in out.rglob("*")] == ["feedback", "mine.html"]
