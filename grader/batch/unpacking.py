"""Unpacks what `nbgrader zip_collect` is given, read as `grade` reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbgrader.plugins import ExtractorPlugin

from grader.batch.archive import in_archive
from grader.batch.entries import ARCHIVE, Entry, in_folder, refused
from grader.submissions import BadInput


class Unpacked(ExtractorPlugin):
    """Stands in for nbgrader's, which follows links and ends at the first bad zip."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Copy every notebook that can be read, and log why another one is not."""
        for entry in _entries(Path(archive_path)):
            target = Path(extracted_path, *entry.parts)
            try:
                data = entry.read()
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            except (BadInput, OSError) as problem:
                self.log.warning("%s is not collected: %s", entry.source, problem)


def _entries(folder: Path) -> Iterator[Entry]:
    """Yield all files; those of a zip are in a folder of its name."""
    for entry in in_folder(folder):
        if entry.path.suffix.lower() == ARCHIVE:
            yield from in_archive(Path(entry.source), entry.parts)
        else:
            yield entry
    for path in folder.rglob("*.gz"):  # nbgrader's own would unpack it
        yield Entry((path.name,), str(path), refused("expected a zip"))
