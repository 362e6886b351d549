"""README's generated parts, and what a newcomer needs on its first screen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader import catalog, readme
from grader.corpus import specimens
from grader.validity import Trial, table_of

ROOT = Path(__file__).parents[1]


def test_readme_lists_every_exercise_as_it_is() -> None:
    """README's table has each exercise once, with its title and number of claims"""
    table = readme.exercises(ROOT)
    assert readme.is_current(ROOT, "exercises", table), "run `make build`"
    assert all(table.count(f"[{stem}]") == 1 for stem in catalog.stems())


def test_readme_has_the_table_of_the_corpus_as_it_is() -> None:
    """README's validity table is what the corpus says of itself, which the tests of
    the exercises prove submission by submission"""
    corpus = [s for stem in catalog.stems() for s in specimens(ROOT, stem)]
    expected = table_of([Trial(s, s.right, s.caught_by) for s in corpus])
    assert readme.is_current(ROOT, "validity", expected), "run `grader validity`"


def test_the_two_commands_stand_on_the_first_screen() -> None:
    """both commands are among the first forty lines of README"""
    first = (ROOT / readme.README).read_text(encoding="utf-8").splitlines()[:40]
    for command in ("make lab", "make test"):
        assert any(line.startswith(command) for line in first)


def test_only_the_part_between_the_markers_changes(tmp_path: Path) -> None:
    """an update changes the text between its markers and no other"""
    shutil.copy(ROOT / readme.README, tmp_path)
    before = (tmp_path / readme.README).read_text(encoding="utf-8")
    assert readme.update(tmp_path, "exercises", r"\1 {x}")
    after = (tmp_path / readme.README).read_text(encoding="utf-8")
    assert not readme.is_current(ROOT, "exercises", r"\1 {x}")
    assert after == before.replace(readme.exercises(ROOT), r"\1 {x}")


def test_a_readme_without_markers_is_refused(tmp_path: Path) -> None:
    """where the markers are missing the error names them"""
    (tmp_path / readme.README).write_text("# Nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="expected <!-- exercises -->"):
        readme.update(tmp_path, "exercises", "")
