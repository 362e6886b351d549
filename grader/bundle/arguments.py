"""What the command `bundle` is told, and its help."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

DESCRIPTION = """\
Makes what leaves the teacher's hands: never a solution, a hidden test, a submission
or a grade.
"""
EPILOG = """\
exit status:
  0  it was made
  2  nothing was changed: an unknown exercise, or a place that cannot be written to

examples:
  python -m grader bundle class -o four-processes.zip
  python -m grader bundle gradescope ex04_memory_saver -o autograder.zip
  python -m grader bundle classroom -o template
"""


def add(commands: Any) -> None:
    """Add the command to the command line's parser."""
    bundle = commands.add_parser(
        "bundle",
        help="make what learners, Gradescope or GitHub get",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = bundle.add_subparsers(dest="kind", metavar="KIND", required=True)
    _kind(kinds, "class", "the notebooks and what checks them", "a folder, or a .zip")
    gradescope = _kind(kinds, "gradescope", "an autograder for Gradescope", "a .zip")
    gradescope.add_argument("stems", nargs="+", metavar="EXERCISE")
    classroom = _kind(
        kinds,
        "classroom",
        "a template repository that checks each push on GitHub",
        "a folder",
    )
    classroom.add_argument("stems", nargs="*", metavar="EXERCISE", help="default: all")


def _kind(kinds: Any, name: str, help: str, what: str) -> argparse.ArgumentParser:
    kind: argparse.ArgumentParser = kinds.add_parser(name, help=help)
    kind.add_argument(
        "-o", "--out", type=Path, required=True, metavar="OUT", help=f"{what} to write"
    )
    kind.add_argument(
        "--force", action="store_true", help="replace a bundle that is there"
    )
    return kind
