"""What the command `grade` is told, and its help."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EPILOG = """\
what is read:
  nbgrader   a tree submitted/<student>/<assignment>/*.ipynb
  Canvas     the zip of "Download Submissions", or its folder
  Moodle     the zip of "Download all submissions", or its folder
  GitHub     the folder that `gh classroom clone student-repos` makes
  otherwise  a folder for each author, or files named <author>_<exercise>.ipynb

what is written:
  index.html       the class: whom a person must look at, which claims fail, and how
  grades.csv       a row for each submission
  feedback/        a page for each submission
  verdicts.jsonl   all verdicts, of the schema grader/verdicts.schema.json; what is in
                   it is not judged again, so the same command goes on where it stopped
  canvas/ moodle/  for each exercise, a table to import
  gradescope/      results.json for each author

exit status:
  0    everything was judged
  2    not all was done, and the last lines say why: a wrong path or option, a machine
       that isolates too little, a cluster or a gradebook that failed
  3    some submissions have no score and wait for a person: see index.html
  130  interrupted; the same command goes on

examples:
  python -m grader grade submitted -o graded
  python -m grader grade submissions.zip -o graded --exercise ex04_memory_saver
  python -m grader grade submitted -o graded --gradebook sqlite:///gradebook.db
  python -m grader grade submitted -o graded --scheduler tcp://10.0.0.1:8786
"""


def add(commands: Any) -> None:
    """Add the command to the command line's parser."""
    grade = commands.add_parser(
        "grade",
        help="judge a whole class",
        description="Judges what a class has handed in, and writes grades and pages.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grade.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    grade.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        metavar="OUT",
        help="the folder to fill",
    )
    grade.add_argument(
        "--exercise", metavar="STEM", help="of the files that do not say"
    )
    grade.add_argument(
        "--workers", type=int, metavar="N", help="judge N authors at once (all cores)"
    )
    grade.add_argument(
        "--scheduler", metavar="ADDRESS", help="judge on a Dask cluster instead"
    )
    grade.add_argument(
        "--gradebook", metavar="URL", help="write the scores into nbgrader's database"
    )
    grade.add_argument(
        "--accept-tier",
        type=int,
        default=1,
        choices=(1, 2, 3),
        metavar="N",
        help="grade where submissions are isolated less: 2 reduced, 3 not at all",
    )
    grade.add_argument(
        "--once",
        action="store_true",
        help="judge each submission once, in half the time; as shipped a second run "
        "with four processes follows, and of each claim the worse result counts",
    )
    grade.add_argument(
        "--retry", action="store_true", help="judge again what ended in an error"
    )
