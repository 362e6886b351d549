"""The build makes the same bytes each time, and refuses what it cannot make."""

import json
import shutil
from pathlib import Path

import pytest

from grader.build import build, check
from grader.cells import SourceError, to_starter
from grader.sources import read, refresh

REPO = Path(__file__).parents[2]
STEM = "ex90_sample"
SOURCE = '''\
# %% [markdown] id="title"
# # A sample

# %% id="setup" role="locked"
# %load_ext grader
# %exercise ex90_sample
# ls
# %matplotlib inline

# %%
1 + 1

# %% role="submission"
# %%submission
def answer():
    """Return the answer."""
    ### BEGIN STARTER
    # # TODO: return what is asked for
    # if True:
    #     return 1
    ### END STARTER
    ### BEGIN SOLUTION
    return 2
    ### END SOLUTION


# %% role="test" check="is_two" points=3

# %% [markdown] role="reflect" points=1
# A model answer.
'''


@pytest.fixture
def course(tmp_path: Path) -> Path:
    shutil.copy(REPO / "nbgrader_config.py", tmp_path)
    _source(tmp_path).parent.mkdir(parents=True)
    _source(tmp_path).write_text(SOURCE)
    return tmp_path


def test_a_second_build_makes_the_same_bytes(course: Path) -> None:
    """with everything made anew, not a byte differs"""
    build([], course)
    first = _files(course)
    for folder in (course / "notebooks", _source(course).parent / "__pycache__"):
        shutil.rmtree(folder)
    (_source(course).parent / f"{STEM}.ipynb").unlink()
    build([], course)
    assert first == _files(course)


def test_only_what_changed_is_built_again(course: Path) -> None:
    """no change, no work; a changed text or a touched notebook is built again"""
    made = build([], course)
    release = course / "notebooks" / STEM / f"{STEM}.ipynb"
    assert release in made
    assert build([], course) == []
    release.write_text("{}")
    assert [release] == build([], course)
    _source(course).write_text(SOURCE.replace("A sample", "Another"))
    assert release in build([STEM], course)
    assert "Another" in release.read_text()


def test_check_lists_what_differs(course: Path) -> None:
    """a notebook edited by hand, and one without a source, are found"""
    build([], course)
    assert check(course) == []
    release = course / "notebooks" / STEM / f"{STEM}.ipynb"
    release.write_text(release.read_text().replace("A sample", "Sample"))
    orphan = course / "notebooks" / "ex91_orphan" / "ex91_orphan.ipynb"
    orphan.parent.mkdir()
    orphan.write_text("{}")
    edited, orphaned = check(course)
    assert edited.startswith(f"notebooks/{STEM}/{STEM}.ipynb: expected")
    assert orphaned.startswith("notebooks/ex91_orphan/ex91_orphan.ipynb: expected")


def test_what_a_learner_put_beside_a_notebook_stays(course: Path) -> None:
    """a build never removes files that it did not make"""
    build([], course)
    note = course / "notebooks" / STEM / "my_notes.txt"
    note.write_text("mine")
    _source(course).write_text(SOURCE.replace("A sample", "Another"))
    build([], course)
    assert note.read_text() == "mine"


def test_the_released_starter_is_the_starter_module(course: Path) -> None:
    """the cell that learners see and starter.py agree, line by line"""
    build([], course)
    cell = _cells(course)["submission"]["source"]
    for folder in ("solutions", "notebooks"):
        module = (course / folder / STEM / "starter.py").read_text()
        assert "".join(cell).split("\n")[1:] == module.rstrip("\n").split("\n")[1:]
    assert "# TODO: return what is asked for\n    if True:\n        return 1" in module


def test_a_release_tells_no_solution(course: Path) -> None:
    """solution, model answer and hidden lines are in the source notebook only"""
    build([], course)
    source = (course / "solutions" / STEM / f"{STEM}.ipynb").read_text()
    release = (course / "notebooks" / STEM / f"{STEM}.ipynb").read_text()
    for secret in ("return 2", "A model answer", "hidden=True", "SOLUTION", "STARTER"):
        assert secret in source
        assert secret not in release
    assert [f"{STEM}.ipynb", "starter.py"] == sorted(
        path.name for path in (course / "notebooks" / STEM).iterdir()
    )


def test_roles_become_nbgrader_metadata(course: Path) -> None:
    """each role locks, grades and names its cell as nbgrader expects"""
    build([], course)
    facts = {
        name: (n["grade"], n["solution"], n["locked"], n.get("points"))
        for name, cell in _cells(course).items()
        if (n := cell["metadata"].get("nbgrader")) and n["grade_id"] == name
    }
    assert facts == {
        "setup": (False, False, True, None),
        "submission": (False, True, False, None),
        "is_two": (True, False, True, 3),
        "reflect": (True, True, False, 1),
    }
    assert list(_cells(course))[2] == "cell-02"


def test_only_our_own_magics_are_uncommented(course: Path) -> None:
    """a comment that looks like a command stays a comment"""
    build([], course)
    assert "".join(_cells(course)["setup"]["source"]) == (
        "%load_ext grader\n%exercise ex90_sample\n# ls\n# %matplotlib inline"
    )
    assert _cells(course)["submission"]["source"][0] == "%%submission\n"


def test_the_stub_gives_way_to_the_starter() -> None:
    """blank lines, indentation and comments of a starter are kept"""
    cell = (
        "    ### BEGIN STARTER\n    # # why\n    #\n    #     deep()\n\n"
        "    ### END STARTER\n    raise NotImplementedError  # your code here\nend()"
    )
    assert to_starter(cell) == "    # why\n\n        deep()\n\nend()"


@pytest.mark.parametrize(
    ("old", "new", "line", "expected", "found"),
    [
        ('role="test"', 'role="tset"', 27, "a role out of", "'tset'"),
        (" points=3", "", 27, "check=, points=", "check="),
        ('id="title"', 'name="title"', 1, "no options", "name="),
        ('id="title"', 'id="my title"', 1, "letters, digits", "my title"),
        ('id="setup"', 'id="title"', 4, "an id of its own", "line 1 has too"),
        ("# ls", "# %% ls", 7, "a cell header", "`# %% ls`"),
        ("    # if True:", "    # %%", 19, "a cell header", "`# %%`"),
        ("1 + 1", "1 +", 11, "a code cell that is Python", "invalid syntax"),
        ("1 + 1", "", 10, "a cell with text", "an empty cell"),
        ("    #     return 1", "    # return 1", 20, "that is Python", "indented"),
        ("    # if True:", "    if True:", 19, "as a comment", "'if True:'"),
        ("    ### END STARTER\n", "", 21, "### END STARTER", "### BEGIN SOLUTION"),
        ("# %%submission\n", "", 14, "as the first line", "'def answer():'"),
        ("STARTER", "SOLUTION", 13, "BEGIN STARTER", "none"),
        ('role="submission"', 'id="plain"', 13, "submission cell only", "role ''"),
        ("points=3\n", "points=3\n1.0\n", 27, "nothing, or grade(", "'1.0'"),
        ("[markdown] role", "role", 29, "markdown cell", "code cell"),
        ("# %% [markdown] id", "import os\n# %% id", 1, "header first", "import os"),
    ],
)
def test_a_source_in_error_is_refused(
    course: Path, old: str, new: str, line: int, expected: str, found: str
) -> None:
    """errors say file and line, what was expected and found, and a way out"""
    assert old in SOURCE
    _source(course).write_text(SOURCE.replace(old, new))
    with pytest.raises(SourceError) as error:
        refresh(course)
    message = str(error.value)
    assert message.startswith(f"solutions/{STEM}/{STEM}.py:{line}: expected ")
    before, _, after = message.partition(", found ")
    assert expected in before
    assert found in after
    assert "\n  help: " in after


def test_one_source_in_error_does_not_stop_the_others(course: Path) -> None:
    """the others are made all the same"""
    other = course / "solutions" / "ex91_other" / "ex91_other.py"
    other.parent.mkdir()
    other.write_text(SOURCE)
    _source(course).write_text("# %% [markdown]\n# Nothing to do")
    with pytest.raises(SourceError, match='a cell with role="submission"'):
        refresh(course)
    assert other.with_suffix(".ipynb").exists()


def test_an_unknown_exercise_is_named(course: Path) -> None:
    """a name that does not exist suggests the nearest that does"""
    with pytest.raises(SourceError, match="did you mean ex90_sample"):
        build(["ex90"], course)


def test_a_graded_line_may_be_written_out(course: Path) -> None:
    """written or not, the build makes the same cell of it"""
    before = read(_source(course), "")
    header = 'check="is_two" points=3\n'
    written = SOURCE.replace(header, f'{header}grade("is_two")\n')
    _source(course).write_text(written)
    assert written != SOURCE
    assert read(_source(course), "") == before


def test_cells_without_an_id_get_one_from_their_place(course: Path) -> None:
    """the same text gives the same ids"""
    ids = [cell["id"] for cell in read(_source(course), "")["cells"]]
    assert ids == ["title", "setup", "cell-02", "submission", "is_two", "reflect"]


def _source(course: Path) -> Path:
    return course / "solutions" / STEM / f"{STEM}.py"


def _files(course: Path) -> dict[Path, bytes]:
    paths = [p for p in course.rglob("*") if p.suffix in {".ipynb", ".py", ".json"}]
    return {path: path.read_bytes() for path in sorted(paths)}


def _cells(course: Path) -> dict[str, dict]:
    notebook = json.loads(
        (course / "notebooks" / STEM / f"{STEM}.ipynb").read_text(encoding="utf-8")
    )
    return {cell["id"]: cell for cell in notebook["cells"]}
