"""Bounds the time that a page of a learner's notebook takes to make.

What reads Markdown, HTML and Python for nbconvert takes, for some texts, a time that
grows with the square of their length or faster: 16 KiB of a line break and a space are
enough to keep pygments 2.20 busy for minutes. A page is made long after the score, in
the teacher's own process, and one of them must not hold up the others.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import time
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import bleach

TEXT_LIMIT = 10 * 1024  # characters of one text: 2 s for the slowest found
TEXTS_LIMIT = 40 * 1024  # of all texts of a notebook, whose own are 14 KiB
KEPT = 2_000  # of a longer text
HTML_LIMIT = 1024 * 1024  # characters of one output
HTML_LIMIT_S = 5.0  # of CPU, for all HTML of a notebook
READER = os.path.dirname(bleach.__file__)
GAP = re.compile(r"\s{200}")
ENDS = (0xFFFE, 0xFFFF)  # of each plane of Unicode: no characters
# Of each character that HTML forbids html5lib keeps a complaint in a list, and takes
# the first of them again and again.
LAST = "".join(
    chr(plane + end) for plane in range(0, 0x110000, 0x10000) for end in ENDS
)
FORBIDDEN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef{LAST}]")
REPLACEMENT = "\ufffd"


def allowed(text: str) -> str:
    """Return a text of which every character may be in a page."""
    return FORBIDDEN.sub(REPLACEMENT, text)


class TooLong(BaseException):
    """The time is over; no handler for errors may take it for one."""


class Effort:
    """What may be spent on one notebook's page."""

    def __init__(self) -> None:
        self.characters, self.html_s = TEXTS_LIMIT, HTML_LIMIT_S

    def affords(self, text: str) -> bool:
        """Return whether a text may be read as what it is, and count it."""
        affordable = len(text) <= min(TEXT_LIMIT, self.characters)
        if affordable:
            self.characters -= len(text)
        return affordable

    def highlights(self, code: str) -> bool:
        """Return whether code may be shown in colours."""
        return not GAP.search(code) and self.affords(code)

    def cut(self, text: str) -> str:
        """Return a text, or the beginning of one that takes too long to read."""
        if self.affords(text):
            return text
        start = text[:KEPT] if self.affords(text[:KEPT]) else ""
        left = len(text) - len(start)
        return f"{start}\n\n({left} more characters are in the file as handed in.)"

    def clean(self, text: str, cleaner: Callable[[str], str]) -> str | None:
        """Return HTML without programs, or None where that takes too long."""
        if len(text) > HTML_LIMIT or self.html_s <= 0:
            return None
        started, before = time.thread_time(), sys.getprofile()
        end = started + self.html_s

        def look(frame: FrameType, event: str, _: Any) -> None:
            if time.thread_time() > end and _may_raise(frame.f_code, event):
                raise TooLong

        sys.setprofile(look)
        try:
            return cleaner(text)
        except TooLong:
            return None
        finally:
            sys.setprofile(before)
            self.html_s -= time.thread_time() - started


def _may_raise(code: CodeType, event: str) -> bool:
    """Return whether what is raised here gets through, and is not said to nobody.

    It would be in what is called when an object goes: a weak reference's function, and
    a generator that is closed.
    """
    ours = event.endswith("call") and code.co_filename.startswith(READER)
    return ours and not code.co_flags & inspect.CO_GENERATOR
