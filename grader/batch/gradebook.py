"""Writes scores into an nbgrader gradebook, while others may do the same."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    NoSuchModuleError,
    SAWarning,
)

from grader.batch.graded import UNREADABLE, Graded
from grader.submissions import BadInput
from grader.vocabulary import Result, Status

COURSE = "langgraph-in-four-processes"
BUSY_LIMIT_S = 60  # how long SQLite waits for another grader's write
ATTEMPTS = 10  # at what another grader has done meanwhile


class Scores:
    """An open gradebook. What is not in it, such as an assignment, is left out."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.written = 0
        self.missing: Counter[str] = Counter()
        self.refused: dict[str, str] = {}  # what the database said, by author

    def __enter__(self) -> Scores:
        """Connect.

        Raises:
            BadInput: the address is none, or nobody answers there.
        """
        from nbgrader.api import Gradebook  # two seconds, for those who asked for it

        # There nbgrader logs each attempt with a traceback; what it means is said here.
        logging.getLogger("tornado.application").setLevel(logging.CRITICAL + 1)
        try:
            url = make_url(self._url)
            if url.get_backend_name() == "sqlite":
                if url.database and not url.database.startswith(":"):
                    self._find(url.database)
                url = url.update_query_dict({"timeout": str(BUSY_LIMIT_S)})
            address = url.render_as_string(hide_password=False)
            self._book = _tried(lambda: Gradebook(address, COURSE))
        except (ArgumentError, NoSuchModuleError, DBAPIError, ImportError) as problem:
            said = str(problem).splitlines()[0]
            raise BadInput(
                f"expected the gradebook's database, found {said}",
                "--gradebook sqlite:///gradebook.db, or postgresql+psycopg://…",
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._book.close()

    def _find(self, path: str) -> None:
        """Refuse a file that is not there: it would be a new and empty gradebook."""
        if not Path(path).is_file():
            raise BadInput(
                f"expected a gradebook, found no file {path}",
                "`nbgrader generate_assignment` makes it; the path is from here",
            )

    def add(self, graded: Graded) -> None:
        """Write the scores of one submission; again does no harm."""
        if graded.status == UNREADABLE or graded.verdict is None:
            return
        verdict, one = graded.verdict, graded.one

        def write() -> None:
            names = self._cells(verdict.exercise)
            if not names:
                self.missing[verdict.exercise] += 1
                return
            self._book.update_or_create_student(one.author)
            self._book.update_or_create_submission(verdict.exercise, one.author)
            for result in verdict.results:
                if result.check in names:
                    self._grade(result, verdict.exercise, one.author)
            self._book.db.commit()
            self.written += 1

        with warnings.catch_warnings():
            # nbgrader adds a submission while SQLAlchemy looks at its parts.
            warnings.simplefilter("ignore", SAWarning)
            try:
                _tried(write, self._book)
            except (DBAPIError, ValueError) as problem:  # nbgrader's are ValueErrors
                said = str(problem).splitlines()[0]
                if _refuses(problem):  # such as a name that is too long
                    self.refused[one.author] = said
                    return
                raise BadInput(
                    f"expected to write {one.author}'s scores into the gradebook, "
                    f"found {said}",
                    "every verdict is kept; the same command writes them again",
                ) from None

    def _cells(self, stem: str) -> set[str]:
        from nbgrader.api import MissingEntry

        try:
            notebook = self._book.find_notebook(stem, stem)
        except MissingEntry:
            return set()
        return {cell.name for cell in notebook.grade_cells}

    def _grade(self, result: Result, stem: str, author: str) -> None:
        grade = self._book.find_grade(result.check, stem, stem, author)
        if result.status is Status.error:
            # A score that a person has given stands, whatever happens here.
            grade.auto_score = None
            grade.needs_manual_grade = grade.manual_score is None
            return
        if grade.auto_score != result.score:
            grade.auto_score = result.score
            # As nbgrader does: what a person has given may have to be seen anew.
            grade.needs_manual_grade = grade.manual_score is not None
        elif grade.manual_score is None:
            grade.needs_manual_grade = False


def _refuses(problem: Exception) -> bool:
    """Whether it is what is written that the database does not take, now or ever."""
    return any(isinstance(each, DataError) for each in (problem, problem.__context__))


def _tried(act: Any, book: Any = None) -> Any:
    """Do what another grader may be doing too: what it has made is found next time."""
    from nbgrader.api import InvalidEntry

    for attempt in range(ATTEMPTS):
        try:
            return act()
        except (DBAPIError, InvalidEntry) as problem:
            if book is not None:
                book.db.rollback()
            if attempt == ATTEMPTS - 1 or _refuses(problem):
                raise
    return None
