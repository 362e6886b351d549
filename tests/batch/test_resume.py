"""A run that ends anywhere loses nothing, and the same command goes on from there."""

from __future__ import annotations

import random
import re
import signal
from collections import Counter
from pathlib import Path

import psutil

from tests.batch.classroom import (
    OTHER,
    RIGHT,
    STEM,
    Nursery,
    command,
    hand_in,
    lines,
    run,
)
from tests.harness.living import survivors

RUNS = 25  # each killed twice, and then run to its end
KILLED = -signal.SIGKILL
# In pages, in the journal, and beside the tier in grades.csv.
SEED = re.compile(r'(?<=seed )\d+|(?<="seed": )\d+|\d+,(?:not )?isolated')


def keys(out: Path) -> list[tuple[str, str, str]]:
    """Return whose line is in the journal, each time it is."""
    return [(x["author"], x["exercise"], x["sha256"]) for x in lines(out)]


def written(out: Path) -> dict[str, list[str]]:
    """Return the lines of all files without seeds, and those of the journal sorted."""
    found = {}
    for path in filter(Path.is_file, out.rglob("*")):
        text = SEED.sub("seed", path.read_text(encoding="utf-8")).splitlines()
        name = path.relative_to(out).as_posix()
        found[name] = sorted(text) if path.suffix == ".jsonl" else text
    return found


def test_killed_at_fifty_points(nursery: Nursery, tmp_path: Path) -> None:
    """killed all over a run, no grade is lost or given twice, and it ends the same"""
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # shown where this fails
    rng = random.Random(seed)
    tree, whole = tmp_path / "submitted", tmp_path / "whole"
    for number in range(10):
        hand_in(tree, f"author{number}", f"x = {number // 2}")
    acts = nursery.grade(tree, "-o", whole)["acts"]
    with_all_judged = nursery.grade(tree, "-o", whole)["acts"]
    assert acts >= 2 * RUNS
    expected = written(whole)
    for number in range(RUNS):
        out = tmp_path / f"out{number}"
        # The first kills are one in each 25th of all acts, the second among the rest.
        first = rng.randint(acts * number // RUNS + 1, acts * (number + 1) // RUNS)
        second = rng.randint(1, max(with_all_judged, acts - first))
        before: list[tuple[str, str, str]] = []
        for kill_at in (first, second):
            ended = nursery.grade(tree, "-o", out, kill_at=kill_at)
            assert ended["status"] == KILLED, (first, second)
            kept = keys(out)
            assert kept[: len(before)] == before, "a line was lost"
            said = ended["said"].count(" judged, ")  # each text is of two authors
            assert 2 * said <= len(kept) - len(before), "said, and not kept"
            before = kept
        assert nursery.grade(tree, "-o", out)["status"] == 0
        assert keys(out)[: len(before)] == before, "a line was lost"
        assert written(out) == expected, (first, second)


def test_killed_while_the_pages_are_written(nursery: Nursery, tmp_path: Path) -> None:
    """killed at each act after the last verdict, none judges anew, and all is whole"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    for number in range(4):
        hand_in(tree, f"author{number}", f"x = {number}")
    assert nursery.grade(tree, "-o", out)["status"] == 0
    whole = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    for kill_at in range(1, nursery.grade(tree, "-o", out)["acts"] + 1):
        ended = nursery.grade(tree, "-o", out, kill_at=kill_at)
        assert ended["status"] == KILLED
    assert nursery.grade(tree, "-o", out)["status"] == 0
    assert len(nursery.judged()) == 4
    now = {p.relative_to(out) for p in out.rglob("*") if p.is_file()}
    assert now == set(whole), "nothing is missing, and nothing half written is left"
    for path, content in whole.items():
        assert (out / path).read_bytes() == content, path


def test_a_line_cut_off(nursery: Nursery, tmp_path: Path) -> None:
    """a last line that was written in part is cut off, and judged again"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    hand_in(tree, "ada", "x = 1")
    hand_in(tree, "bob", "x = 2")
    nursery.grade(tree, "-o", out)
    journal = out / "verdicts.jsonl"
    data = journal.read_bytes()
    journal.write_bytes(data[:-20])
    assert nursery.grade(tree, "-o", out)["status"] == 0
    assert sorted(key[0] for key in keys(out)) == ["ada", "bob"]
    assert len(nursery.judged()) == 3


def test_who_is_gone(nursery: Nursery, tmp_path: Path) -> None:
    """tables and pages are of what is handed in now; verdicts of others are kept"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    hand_in(tree, "ada", "x = 1")
    gone = hand_in(tree, "bob", "x = 2")
    nursery.grade(tree, "-o", out)
    gone.unlink()
    nursery.grade(tree, "-o", out)
    assert [path.name for path in (out / "feedback").iterdir()] == ["ada"]
    assert "bob" not in (out / "grades.csv").read_text()
    hand_in(tree, "bob", "x = 2")
    nursery.grade(tree, "-o", out)
    assert len(nursery.judged()) == 2
    assert "bob" in (out / "grades.csv").read_text()


def test_a_line_of_somebody_else(nursery: Nursery, tmp_path: Path) -> None:
    """a journal that is none is refused, and left as it is"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    hand_in(tree, "ada", "x = 1")
    out.mkdir()
    (out / "verdicts.jsonl").write_text('{"my": "notes"}\n')
    ended = nursery.grade(tree, "-o", out)
    assert ended["status"] == 2
    assert "expected a verdict in line 1" in ended["said"]
    assert (out / "verdicts.jsonl").read_text() == '{"my": "notes"}\n'


def test_added_and_changed(nursery: Nursery, tmp_path: Path) -> None:
    """what is new or changed since is judged, and nothing else; the last text counts"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    for author in ("ada", "bob"):
        hand_in(tree, author, f"x = '{author}'")
    nursery.grade(tree, "-o", out)
    hand_in(tree, "bob", "x = 'better'")
    hand_in(tree, "cleo", "x = 'new'")
    nursery.grade(tree, "-o", out)
    assert Counter(key[0] for key in keys(out)) == {"ada": 1, "bob": 2, "cleo": 1}
    assert len(nursery.judged()) == 4
    rows = (out / "grades.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in rows[1:]] == ["ada", "bob", "cleo"]
    latest = [sha256 for author, _, sha256 in keys(out) if author == "bob"][-1]
    assert latest in rows[2]


def test_two_at_once(tmp_path: Path) -> None:
    """a second run into the same folder is refused while the first one writes"""
    from grader.batch.journal import Journal

    tree, out = tmp_path / "submitted", tmp_path / "out"
    hand_in(tree, "ada", "x = 1")
    with Journal(out / "verdicts.jsonl"):
        status, _, err = run("grade", tree, "-o", out, "--accept-tier", "3")
    assert status == 2
    assert "found another run that does" in err


def real_class(tree: Path) -> None:
    """Hand in three right and different submissions of one exercise."""
    for number in range(3):
        hand_in(tree, f"author{number}", f"{RIGHT.read_text()}\n# {number}\n")


def test_the_real_command_killed(tmp_path: Path) -> None:
    """killed with a real judge at work: no process is left, and the rest is judged"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    real_class(tree)
    arguments = ("grade", tree, "-o", out, "--accept-tier", "3", "--workers", "1")
    first = command(*arguments)
    assert first.stderr is not None
    assert "1 of 3 judged" in first.stderr.readline()
    below = psutil.Process(first.pid).children(recursive=True)
    assert below
    first.kill()
    first.communicate()
    assert survivors(below) == []
    done = keys(out)
    assert 1 <= len(done) < 3
    assert run(*arguments)[0] == 0
    assert keys(out)[: len(done)] == done
    assert len(set(keys(out))) == len(keys(out)) == 3
    assert {line["verdict"]["score"] for line in lines(out)} == {10.0}


def test_interrupted(nursery: Nursery, tmp_path: Path) -> None:
    """Ctrl-C ends all that was started; the same command ends as if there was none"""
    tree, out, whole = tmp_path / "submitted", tmp_path / "out", tmp_path / "whole"
    real_class(tree)
    arguments = ("grade", tree, "-o", out, "--accept-tier", "3", "--workers", "1")
    first = command(*arguments)
    assert first.stderr is not None
    first.stderr.readline()
    below = psutil.Process(first.pid).children(recursive=True)
    first.send_signal(signal.SIGINT)
    _, err = first.communicate()
    assert first.returncode == 130
    assert "the same command goes on where this one stopped" in err
    assert survivors(below) == []
    done = lines(out)
    assert 1 <= len(done) < 3
    assert run(*arguments)[0] == 0
    assert (lines(out)[: len(done)], len(lines(out))) == (done, 3)
    assert nursery.grade(tree, "-o", whole)["status"] == 0  # judges all as right
    found, expected = written(out), written(whole)
    assert sorted(found) == sorted(expected)
    assert found["grades.csv"] == expected["grades.csv"]


def test_identical_once(nursery: Nursery, tmp_path: Path) -> None:
    """identical submissions are judged once and say so; others have another seed"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    for number in range(6):
        hand_in(tree, f"author{number}", f"x = {number % 2}")
    hand_in(tree, "author0", "x = 0", OTHER)
    nursery.grade(tree, "-o", out)
    assert len(nursery.judged()) == 3  # two texts of one exercise, one of another
    found = {(line["author"], line["exercise"]): line for line in lines(out)}
    assert found["author0", STEM]["shared_with"] == ""
    assert found["author4", STEM]["shared_with"] == "author0"
    assert found["author5", STEM]["shared_with"] == "author1"
    seeds = [found[key]["verdict"]["seed"] for key in found]
    assert len(set(seeds)) == 3
    assert "identical to author0" in (out / "index.html").read_text()
    feedback = (out / "feedback" / "author4" / f"{STEM}.html").read_text()
    assert "author0" not in feedback  # what is between teacher and learner


def test_other_runs_are_not_mixed(nursery: Nursery, tmp_path: Path) -> None:
    """verdicts of --once are not taken for those of two runs, nor the other way"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    hand_in(tree, "ada", "x = 1")
    assert nursery.grade(tree, "-o", out, "--once")["status"] == 0
    kept = (out / "verdicts.jsonl").read_bytes()
    assert nursery.grade(tree, "-o", out)["status"] == 2
    assert (out / "verdicts.jsonl").read_bytes() == kept
    assert nursery.grade(tree, "-o", out, "--once")["status"] == 0
    (out / ".options.json").unlink()  # nobody knows whose verdicts these are
    assert nursery.grade(tree, "-o", out, "--once")["status"] == 2
    assert (out / "verdicts.jsonl").read_bytes() == kept
