"""How nbgrader works on this course; read by every nbgrader command and in Jupyter."""

import glob
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
if (ROOT / "grader").is_dir() and str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))  # a clone works where the package is not installed

from grader.autograde.install import install  # noqa: E402 - after sys.path
from grader.cells import STUB, SourceError  # noqa: E402 - after sys.path
from grader.sources import refresh  # noqa: E402 - after sys.path

install()  # what nbgrader has no setting for
c = get_config()  # type: ignore[name-defined]  # noqa: F821 - nbgrader defines it

# The source notebooks are not kept in git: they are made from their text here, so
# that `nbgrader generate_assignment` works in a fresh clone.
try:
    refresh(ROOT)
except (SourceError, OSError) as error:
    # The other exercises can still be graded, and a course may be read-only.
    print(f"a source notebook could not be made\n{error}", file=sys.stderr)

c.CourseDirectory.course_id = "langgraph-in-four-processes"
c.CourseDirectory.root = str(ROOT)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
# What is not copied to learners, nor from them: above all the texts of the source
# notebooks, which hold the solutions.
c.CourseDirectory.ignore = [
    # Nothing of a submission but its notebook; links among the rest lead anywhere.
    f"{glob.escape(str(ROOT))}/submitted/*/*/*",
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "ex[0-9][0-9]_*.py",
    ".progress",
]

c.GenerateAssignment.force = True  # notebooks/ is in git, so it is always there
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "grader.nbgrader_hooks.PlaceStarter",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.ClearSolutions.code_stub = {"python": STUB}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# What is graded is the released notebook with the learner's texts in it.
c.Autograde.exporter_class = "grader.autograde.exporter.SubmissionExporter"
# Whole lists, not insertions: the file is read twice, and insertions would add up.
c.Autograde.sanitize_preprocessors = ["nbgrader.preprocessors.CheckCellMetadata"]
c.Autograde.autograde_preprocessors = [
    "grader.autograde.scores.BeginJudging",
    "grader.autograde.execute.ExecuteOutside",
    "nbgrader.preprocessors.IgnorePattern",
    "grader.autograde.scores.ShowVerdict",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "grader.autograde.scores.RecordVerdict",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

c.Execute.timeout = 60  # s a cell; no score depends on it
# Graceful, the shutdown of a kernel that has used processes takes 2.5 s.
c.Execute.shutdown_kernel = "immediate"
c.Execute.extra_arguments = ["--InteractiveShellApp.ignore_cwd=True"]

# For `nbgrader zip_collect`: what came back may lead out of its folder, or be no zip.
c.ZipCollectApp.extractor_plugin = "grader.batch.unpacking.Unpacked"
# ada_ex04_memory_saver.ipynb is Ada's; browsers add (1).
c.FileNameCollectorPlugin.named_regexp = (
    r".*[/\\](?P<student_id>[^/\\]+)_(?P<file_id>ex\d\d_\w+?)(?: ?\(\d+\))?\.ipynb$"
)
