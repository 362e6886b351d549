"""Which files are handed out: a list of what is, so that nothing else can be."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from grader import build
from grader.bundle import trimming
from grader.bundle.writing import Bundle, File
from grader.submissions import BadInput

PACKAGE = "grader"
# The skeletons of new exercises show how a right program is made.
KEPT_BACK = "grader/templates/"
SETTINGS = ("LICENSE", "environment.yml", "pyproject.toml", "requirements.lock")


def package(root: Path) -> Bundle:
    """Return the grader with what installs it.

    Raises:
        BadInput: a file is missing.
    """
    names = [name for name in _package(root) if not name.startswith(KEPT_BACK)]
    files = {name: File(_read(root, name)) for name in (*names, *SETTINGS)}
    makefile = _read(root, "Makefile").decode("utf-8")
    files["Makefile"] = File(trimming.makefile(makefile).encode())
    return files


def for_a_class(root: Path) -> Bundle:
    """Return what learners get: the notebooks as released, and what checks them.

    The notebooks are made anew from solutions/, so that nothing which somebody tried
    in notebooks/ goes with them.

    Raises:
        BadInput: a file is missing.
        SourceError: a notebook cannot be made.
    """
    files = package(root)
    files |= {
        path.as_posix(): File(content) for path, content in build.released(root).items()
    }
    readme = _read(root, "README.md").decode("utf-8")
    files["README.md"] = File(trimming.readme(readme).encode())
    files[".gitignore"] = File(_read(root, ".gitignore"))
    return files


def _package(root: Path) -> Iterator[str]:
    """Yield the files of the package that git knows, or all where there is no git."""
    try:
        ran = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--", PACKAGE],
            capture_output=True,
            check=True,
        )
        known = os.fsdecode(ran.stdout).split("\0")[:-1]
    except (OSError, subprocess.CalledProcessError):
        known = []
    if known:  # none: a copy of the project inside of somebody's own repository
        yield from known
        return
    for path in sorted((root / PACKAGE).rglob("*")):
        parts = path.relative_to(root).parts
        hidden = any(part.startswith((".", "__pycache__")) for part in parts)
        if path.is_file() and not hidden and path.suffix != ".pyc":
            yield Path(*parts).as_posix()


def _read(root: Path, name: str) -> bytes:
    path = root / name
    if path.is_symlink() or not path.is_file():
        raise BadInput(
            f"expected {name} to hand out, found no such file",
            f"bring it back: git restore {name}",
        )
    return path.read_bytes()
