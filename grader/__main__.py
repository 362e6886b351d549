"""The command line: python -m grader lab | check | grade | build | bundle | doctor …"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
BAD_INPUT = 2
DATABASES = ("sqlite", "postgres")
PIPE_CLOSED = 141  # what a shell says of a command that SIGPIPE ended
# What a command works on, where a bundle for learners lacks it.
NOT_HANDED_OUT = {"build": "solutions", "new": "solutions", "bundle": "solutions"}
NOT_HANDED_OUT |= dict.fromkeys(("validity", "soak"), "tests/submissions")
NOT_HANDED_OUT |= {"drift": "tests/drift"}

DESCRIPTION = """\
Proves in real processes that a LangGraph app keeps its promises in more than one.
"""
CHECK_EPILOG = """\
exit status:
  0  every check passed, or every proof of a certificate holds
  1  at least one check failed, or something does not hold
  2  there was nothing to check: a wrong path, exercise, notebook or certificate
  3  the grader or the machine broke, so at least one check could not be judged

examples:
  python -m grader check notebooks/ex04_memory_saver/ex04_memory_saver.ipynb
  python -m grader check app.py --exercise ex04_memory_saver --seed 4711
  python -m grader check --certificate notebooks/certificate.html
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    raw = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser("python -m grader", description=DESCRIPTION)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    lab = commands.add_parser("lab", help="open the first notebook in JupyterLab")
    lab.add_argument("--no-browser", action="store_true", help="print the address")

    check = commands.add_parser(
        "check",
        help="judge one submission",
        description="Runs a submission in several processes and prints the verdict.",
        epilog=CHECK_EPILOG,
        formatter_class=raw,
    )
    what = check.add_mutually_exclusive_group(required=True)
    what.add_argument("file", type=Path, nargs="?", help="a module, or a notebook")
    what.add_argument(
        "--certificate",
        type=Path,
        metavar="FILE",
        help="prove again what a certificate lists; with --seed also with that seed",
    )
    check.add_argument("--exercise", metavar="STEM", help="when the file does not say")
    check.add_argument("--seed", type=int, metavar="N", help="replay this seed")
    check.add_argument(
        "--processes", type=int, default=0, metavar="N", help="start at least so many"
    )
    check.add_argument(
        "--database",
        choices=DATABASES,
        default="",
        help="where checkpoints are kept; default: as the exercise says",
    )
    check.add_argument(
        "--accept-tier",
        type=int,
        default=1,
        choices=(1, 2, 3),
        metavar="N",
        help="verify a certificate where its programs are isolated less",
    )
    check.add_argument("--json", action="store_true", help="print the verdict as JSON")
    check.add_argument(
        "--html", type=Path, metavar="FILE", help="write the report as a page"
    )
    check.add_argument(
        "--history", type=Path, metavar="FILE", help="write down all that happened"
    )

    from grader.batch import arguments as grade
    from grader.bundle import arguments as bundle

    grade.add(commands)
    bundle.add(commands)

    build = commands.add_parser("build", help="make notebooks/ from solutions/")
    build.add_argument("stems", nargs="*", metavar="STEM", help="default: all")
    build.add_argument(
        "--check", action="store_true", help="change nothing, say what would change"
    )

    new = commands.add_parser("new", help="write the skeleton of a new exercise")
    new.add_argument("title", help='the failure as a sentence: "Loops without an end"')
    new.add_argument("--number", type=int, metavar="N", help="default: the next one")

    commands.add_parser(
        "validity", help="judge the whole corpus, write the table into README"
    )
    soak = commands.add_parser("soak", help="judge the corpus many times over")
    soak.add_argument("stems", nargs="*", metavar="STEM", help="default: all")
    soak.add_argument(
        "--runs", type=int, default=300, metavar="N", help="for each exercise"
    )
    soak.add_argument(
        "--long", action="store_true", help="run the long game day of ex10 only"
    )

    drift = commands.add_parser(
        "drift", help="prove the notebooks' sentences with the newest releases"
    )
    drift.add_argument(
        "versions", nargs="*", metavar="NAME==VERSION", help="in place of the newest"
    )
    drift.add_argument("--prereleases", action="store_true", help="take these too")

    commands.add_parser("doctor", help="say what is installed, missing, and its cost")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    chosen = parser().parse_args(arguments)
    needed = NOT_HANDED_OUT.get(chosen.command, "")
    if not (ROOT / needed).is_dir():
        print(
            f"expected {needed}/, which learners do not get, found none\n"
            "  help: run this command in the teacher's clone of the project",
            file=sys.stderr,
        )
        return BAD_INPUT
    if chosen.command == "lab":
        from grader.lab import lab

        return lab(ROOT, chosen.no_browser)
    if chosen.command == "check":
        from grader import checking, repeating

        return repeating.check(chosen) if chosen.certificate else checking.check(chosen)
    if chosen.command == "grade":
        from grader.batch.grading import grade

        return grade(chosen)
    if chosen.command == "bundle":
        from grader.bundle.bundling import bundle

        return bundle(chosen, ROOT)
    if chosen.command == "doctor":
        from grader.doctor import doctor

        return doctor()
    if chosen.command in {"validity", "soak"}:
        from grader import validity

        if chosen.command == "validity":
            return validity.validity(ROOT)
        try:
            return validity.soak(ROOT, chosen.stems, chosen.runs, chosen.long)
        except ValueError as problem:
            print(problem, file=sys.stderr)
            return BAD_INPUT
    if chosen.command == "drift":
        from grader.drift import drift

        return drift(chosen.versions, chosen.prereleases)
    return _author(chosen)


def _author(chosen: argparse.Namespace) -> int:
    from grader import build, cells, new, readme

    try:
        if chosen.command == "new":
            for path in new.new(chosen.title, ROOT, chosen.number):
                print(path.relative_to(ROOT))
        elif chosen.check:
            differing = build.check(ROOT)
            if not readme.is_current(ROOT, "exercises", readme.exercises(ROOT)):
                differing.append(f"{readme.README}: expected the table of exercises")
            print("\n".join(differing) or "notebooks/ is what solutions/ makes")
            return 1 if differing else 0
        else:
            for path in build.build(chosen.stems, ROOT):
                print(path.relative_to(ROOT))
            if readme.update(ROOT, "exercises", readme.exercises(ROOT)):
                print(readme.README)
    except (cells.SourceError, ValueError, FileExistsError) as problem:
        print(problem, file=sys.stderr)
        return BAD_INPUT
    return 0


def run() -> int:
    """Run one command; whoever reads its output may stop reading, as `head` does."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return status


if __name__ == "__main__":
    sys.exit(run())
