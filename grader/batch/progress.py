"""Says how far a long run is: a bar with the time left, or a line now and then."""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO

WIDTH = 30  # of the bar, where there is room
COLUMNS = 80  # of a terminal that does not say
LINES = 20  # of a whole run, where the output is no terminal
REDRAW_S = 0.1


class Progress:
    """Counts what is done; a terminal sees a bar, a log about twenty lines."""

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total, self.done = total, 0
        self._stream = stream or sys.stderr
        self._live = self._stream.isatty()
        self._began = time.monotonic()
        self._drawn = 0.0
        self._step = max(1, -(-total // LINES))

    def advance(self) -> None:
        """Count one more, and show it where it is time to."""
        self.done += 1
        if self._live:
            now = time.monotonic()
            if now - self._drawn >= REDRAW_S or self.done == self.total:
                self._drawn = now
                self._write(f"\r\x1b[K{self.line(self._columns())}")
        elif self.done % self._step == 0 or self.done == self.total:
            self._write(f"{self.line()}\n")

    def close(self) -> None:
        """Leave the bar as it is, and begin a new line."""
        if self._live and self.done:
            self._write("\n")

    def line(self, columns: int = 0) -> str:
        """Return the state as one line, behind a bar where a terminal is so wide.

        A line that filled its last column would wrap, and could not be drawn over.
        """
        passed_s = time.monotonic() - self._began
        left_s = passed_s / self.done * (self.total - self.done) if self.done else 0.0
        said = (
            f"{self.done} of {self.total} judged, "
            f"{_clock(passed_s)} passed, about {_clock(left_s)} left"
        )
        if not columns:
            return said
        width = max(0, min(WIDTH, columns - len(said) - 2))
        filled = width * self.done // self.total if self.total else width
        bar = f"{'█' * filled}{'·' * (width - filled)} " if width else ""
        return f"{bar}{said}"[: columns - 1]

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or COLUMNS
        except OSError:  # no file of the system, or no terminal any more
            return COLUMNS

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, UnicodeEncodeError):  # nobody reads it: grading goes on
            self._live = False


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
