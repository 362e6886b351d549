"""What one author handed in for one exercise, as plain data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

# What a page or a table says where a file does not tell its exercise.
NO_EXERCISE = "unknown"


@dataclass(frozen=True, slots=True)
class Submitted:
    """One file that counts: its submission, or the problem why there is none.

    `author` is unique in the class; `number` is what the learning management system
    calls them. `stem` is empty where the file does not say which exercise it answers.
    """

    author: str
    stem: str
    source: str
    sha256: str
    text: str = ""
    problem: str = ""
    help: str = ""
    name: str = ""
    number: str = ""
    system: str = ""
    late: bool = False
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What a verdict is remembered by."""
        return self.author, self.stem, self.sha256

    @property
    def what(self) -> tuple[str, str]:
        """The exercise and the digest: the same for identical submissions."""
        return self.stem, self.sha256


def digest(text: str) -> str:
    """Return the SHA-256 of a text, half surrogate pairs included, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
