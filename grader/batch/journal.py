"""The verdicts of a class on disk: one line each, never lost, never written twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from grader.batch.places import LOCK, settle
from grader.submissions import BadInput

FORMAT = 1  # raised when a line changes its meaning; lines of another are not used
LINE_LIMIT_B = 64 * 1024 * 1024

Line = dict[str, Any]
Key = tuple[str, str, str]


class Journal:
    """An append-only file of JSON lines, with its keys and offsets in memory.

    A line belongs to an author, an exercise and the digest of a text. Where several
    lines have the same key, the last holds: somebody had it judged again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at: dict[Key, int] = {}
        self._like: dict[tuple[str, str], int] = {}
        self.seeds: set[int] = set()

    def __enter__(self) -> Journal:
        """Open the journal, and cut off a last line that was not written whole.

        Raises:
            BadInput: a line is not one of ours, or the folder cannot be written to.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.path.with_name(LOCK))
            self._file = self.path.open("a+b")
            settle(self.path.parent)
        except BlockingIOError:
            raise BadInput(
                f"expected to write to {self.path.parent} alone, found another run "
                "that does",
                "wait for it, or give another folder to -o",
            ) from None
        except OSError as problem:
            raise BadInput(
                f"expected a folder to write to, found {problem.strerror}: "
                f"{self.path.parent}"
            ) from None
        try:
            self._load()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._file.close()
        if self._lock is not None:
            os.close(self._lock)

    def _load(self) -> None:
        end = 0
        self._file.seek(0)
        for number, data in enumerate(self._file, start=1):
            if not data.endswith(b"\n"):
                break
            try:
                line = json.loads(data)
                if line["line"] == FORMAT:
                    self._remember(line, end)
            except (ValueError, KeyError, TypeError, RecursionError) as problem:
                raise BadInput(
                    f"expected a verdict in line {number} of {self.path}, found "
                    f"{type(problem).__name__}",
                    "move the file away, and run the same command again",
                ) from None
            end += len(data)
        self._file.truncate(end)

    def append(self, line: Line) -> None:
        """Write one line, and return when it is on the disk."""
        data = json.dumps({"line": FORMAT, **line}).encode() + b"\n"
        at = self._file.seek(0, os.SEEK_END)
        self._file.write(data)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._remember(line, at)

    def _remember(self, line: Line, at: int) -> None:
        author, stem, sha256 = line["author"], line["exercise"], line["sha256"]
        self._at[author, stem, sha256] = at
        if line["verdict"] is not None:
            self._like[stem, sha256] = at
            self.seeds.add(int(line["verdict"]["seed"]))

    def __contains__(self, key: Key) -> bool:
        return key in self._at

    def __len__(self) -> int:
        return len(self._at)

    def line(self, key: Key) -> Line:
        """Return the line of an author, exercise and digest."""
        return self._read(self._at[key])

    def like(self, stem: str, sha256: str) -> Line | None:
        """Return a line of anybody who handed in the same, if there is one."""
        at = self._like.get((stem, sha256))
        return None if at is None else self._read(at)

    def _read(self, at: int) -> Line:
        self._file.seek(at)
        found: Line = json.loads(self._file.readline(LINE_LIMIT_B))
        return found


def _lock(path: Path) -> int | None:
    """Take a lock that ends with this process; None where there are no such locks."""
    if os.name != "posix":
        return None
    import fcntl

    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(lock)
        raise
    return lock
