"""Where everything is written, in names that are safe on every file system."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from grader.batch.submitted import NO_EXERCISE, Submitted

# Lower case, because two names that differ in case only are one file on many systems.
PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
HASHED = re.compile(r".*-[0-9a-f]{10}")
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)")
KEPT = 40
LOCK = ".lock"
UNFINISHED = ".new-"


def safe(name: str) -> str:
    """Return a file name for an author: the same for the same, different for others."""
    plain = PLAIN.fullmatch(name) and not HASHED.fullmatch(name)
    if plain and not RESERVED.fullmatch(name):
        return name
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", folded.lower()).strip("-")[:KEPT] or "author"
    told = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{slug}-{told[:10]}"


@dataclass(frozen=True, slots=True)
class Places:
    """The folder that a run writes to."""

    out: Path

    @property
    def journal(self) -> Path:
        """All verdicts, one line each."""
        return self.out / "verdicts.jsonl"

    @property
    def options(self) -> Path:
        """Which grader made the verdicts, and in how many runs."""
        return self.out / ".options.json"

    def text(self, sha256: str) -> Path:
        """The submission that was judged, as a module."""
        return self.out / "submissions" / f"{sha256}.py"

    def timelines(self, stem: str, sha256: str) -> Path:
        """The pictures of one submission's failures."""
        return self.out / "timelines" / f"{stem}-{sha256[:16]}"

    def feedback(self, one: Submitted) -> Path:
        """The page of one submission."""
        name = one.stem or f"{NO_EXERCISE}-{one.sha256[:10]}"
        return self.out / "feedback" / safe(one.author) / f"{name}.html"

    def gradescope(self, author: str) -> Path:
        """The results of one author."""
        return self.out / "gradescope" / safe(author) / "results.json"

    def is_foreign(self) -> bool:
        """Return whether there is a folder that holds other things than a run's."""
        if not self.out.is_dir():
            return self.out.exists()
        names = {path.name for path in self.out.iterdir()}
        ours = {self.journal.name, self.options.name}  # a broken journal is moved away
        return bool(names - {LOCK}) and not names & ours

    def clear(self) -> None:
        """Remove what an earlier run reported: its authors may be others."""
        for name in ("feedback", "gradescope", "canvas", "moodle"):
            shutil.rmtree(self.out / name, ignore_errors=True)
        for path in self.out.rglob(f"{UNFINISHED}*"):  # where a run was killed
            path.unlink(missing_ok=True)


def write(path: Path, text: str, *, lasting: bool = False) -> None:
    """Write a whole file or none of it.

    A lasting one is on the disk before this returns; the others are reports, which
    every run writes anew.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(name, 0o644)  # mkstemp's 0600 would hide it from a course's group
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    if lasting:
        settle(path.parent)


def settle(folder: Path) -> None:
    """Have the names of new files in a folder on the disk, where it can be asked for.

    Windows opens no folder, and not every file system takes the request.
    """
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        with contextlib.suppress(OSError):
            os.fsync(handle)
        os.close(handle)
