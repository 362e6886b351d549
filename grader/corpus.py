"""The submissions kept as tests: the right ones, and what must catch each wrong one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path("tests") / "submissions"
CAUGHT = re.compile(r"\bCaught by:\s*([\w,\s]+?)\.?\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Specimen:
    """One submission; `caught_by` names the checks that fail, none for a right one."""

    stem: str
    path: Path
    text: str
    about: str
    caught_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its folder and file: "wrong/one_thread_id"."""
        return f"{self.path.parent.name}/{self.path.stem}"

    @property
    def right(self) -> bool:
        """Whether it must score full marks."""
        return self.path.parent.name == "right"


def specimens(root: Path, stem: str) -> Iterator[Specimen]:
    """Yield the right, then the wrong submissions of one exercise.

    Raises:
        ValueError: a wrong one does not say what catches it, or a right one does.
    """
    for kind in ("right", "wrong"):
        for path in sorted((root / FOLDER / stem / kind).glob("*.py")):
            text = path.read_text(encoding="utf-8")
            about = ast.get_docstring(ast.parse(text)) or ""
            named = CAUGHT.findall(about)
            if len(named) != (kind == "wrong"):
                raise ValueError(
                    f"expected {path} to say {'once' if kind == 'wrong' else 'nowhere'}"
                    f' in its docstring "Caught by: …", found it {len(named)} times'
                )
            names = re.split(r"[,\s]+", named[0]) if named else []
            caught = tuple(name for name in names if name)
            yield Specimen(stem, path, text, about, caught)
