"""Where nbgrader reads a submission: what it gets is our notebook, always readable."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import from_dict
from nbgrader.converters.base import NbGraderException
from traitlets import Int, default

from grader.autograde.intake import Laid, content, lay
from grader.harness.tiers import ISOLATED, NOT_ISOLATED, best, why_not_isolated
from grader.submissions import BadInput

ABOUT = "grader"  # the notebook's metadata under which a reason travels
TIMESTAMP = "timestamp.txt"
KEPT = (TIMESTAMP, "submission_secret.txt")  # of the exchange
ACCEPT = "GRADER_ACCEPT_TIER"


class SubmissionExporter(NotebookExporter):
    """Stands in for the exporter with which `nbgrader autograde` opens notebooks."""

    accept_tier = Int(
        help="The weakest isolation in which other people's submissions are graded: "
        "1 is a sandbox, 3 is none."
    ).tag(config=True)

    @default("accept_tier")
    def _from_environment(self) -> int:
        given = os.environ.get(ACCEPT, "1")
        return int(given) if given in {"1", "2", "3"} else 1

    def __init__(self, **options: Any) -> None:
        """Refuse to grade where a submission could reach everything.

        Raises:
            NbGraderException: there is no sandbox, and nobody has accepted that.
        """
        super().__init__(**options)  # type: ignore[no-untyped-call]
        # A kernel is in the whole sandbox or in none: there is nothing in between.
        if best() != ISOLATED and self.accept_tier < NOT_ISOLATED:
            self.log.error(
                "other people's submissions are graded in a sandbox only: %s\n"
                "  help: install it, or grade on a machine that holds nothing you "
                "would not show a learner, with %s=%d",
                why_not_isolated() or "less than there is was asked for",
                ACCEPT,
                NOT_ISOLATED,
            )
            raise NbGraderException("there is no sandbox on this machine")

    def from_filename(
        self, filename: str, resources: Any = None, **options: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Read a submitted notebook, whatever it is; the others are nbgrader's own."""
        if not getattr(self.parent, "_sanitizing", False):
            return super().from_filename(filename, resources, **options)
        path = Path(filename)
        about = resources["nbgrader"]
        laid = self._laid(path, self._released(about))
        for note in laid.notes:
            self.log.warning("%s: %s", about["student"], note)
        if laid.problem:
            self.log.warning(
                "%s: %s cannot be judged and needs a person: %s",
                about["student"],
                path.name,
                laid.problem,
            )
        notebook = laid.notebook
        notebook["metadata"][ABOUT] = {
            "problem": laid.problem,
            "help": laid.help,
            "accepted": self.accept_tier,
        }
        resources["metadata"] = ResourcesDict(name=path.stem, path=str(path.parent))
        self._copy_kept(path.parent, about)
        made = from_dict(notebook)  # type: ignore[no-untyped-call]
        return self.from_notebook_node(made, resources, **options)  # type: ignore[no-any-return,no-untyped-call]

    def _course(self) -> Any:
        return getattr(self.parent, "coursedir", None)

    def _copy_kept(self, folder: Path, about: dict[str, str]) -> None:
        """Copy when, and as which one, it was handed in: feedback is returned by it."""
        course = self._course()
        graded = course.format_path(
            course.autograded_directory, about["student"], about["assignment"]
        )
        Path(graded).mkdir(parents=True, exist_ok=True)
        for name in KEPT:
            with contextlib.suppress(BadInput):
                Path(graded, name).write_text(content(folder / name), encoding="utf-8")

    def _laid(self, path: Path, released: dict[str, Any]) -> Laid:
        try:
            return lay(content(path), released)
        except BadInput as bad:
            return lay(bad, released)

    def _released(self, about: dict[str, str]) -> dict[str, Any]:
        """Return the notebook as `nbgrader generate_assignment` has released it."""
        course = self._course()
        folder = course.format_path(course.release_directory, ".", about["assignment"])
        path = Path(folder, f"{about['notebook']}.ipynb")
        try:
            released: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            raise NbGraderException(
                f"expected the released notebook {path}, found: {problem}\n  help: "
                f"run `nbgrader generate_assignment {about['assignment']}` first"
            ) from None
        return released
