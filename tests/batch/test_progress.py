"""What a long run says of itself: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TextIO

import pytest

from grader.batch import progress
from grader.batch.progress import WIDTH, Progress
from tests.batch.classroom import Nursery, hand_in, lines
from tests.batch.test_resume import KILLED

START = "\r\x1b[K"  # back to the start of the line, and nothing on it


class Clock:
    """What the module takes for the time; it stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that a test sets."""
    made = Clock()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


class Live(io.StringIO):
    """Takes as much as is written; a real terminal would wait for its reader."""

    def isatty(self) -> bool:
        """Return that it is a terminal."""
        return True


@dataclass
class Terminal:
    """A real terminal of so many columns, and what was written to it."""

    stream: TextIO
    reader: int

    def is_wide(self, columns: int) -> None:
        """Set its size, as a window does when it is drawn larger or smaller."""
        size = struct.pack("HHHH", 24, columns, 0, 0)
        fcntl.ioctl(self.stream.fileno(), termios.TIOCSWINSZ, size)

    def shown(self) -> str:
        """Return all that it was sent."""
        self.stream.write("the end")
        self.stream.flush()
        text = ""
        while not text.endswith("the end"):
            text += os.read(self.reader, 1 << 16).decode()
        return text.removesuffix("the end").replace("\r\n", "\n")


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """A terminal of a test's own, in UTF-8 unless it is said otherwise."""
    reader, writer = os.openpty()
    with open(writer, "w", encoding=getattr(request, "param", "utf-8")) as stream:
        made = Terminal(stream, reader)
        made.is_wide(100)
        yield made
    os.close(reader)


def test_a_terminal_sees_a_bar(clock: Clock, terminal: Terminal) -> None:
    """the bar grows in its line, and what is printed afterwards begins a new one"""
    shown = Progress(3, terminal.stream)
    for _ in range(3):
        clock.now += 10
        shown.advance()
    shown.close()
    assert terminal.shown() == (
        f"{START}{'█' * 10}{'·' * 20} 1 of 3 judged, 0:10 passed, about 0:20 left"
        f"{START}{'█' * 20}{'·' * 10} 2 of 3 judged, 0:20 passed, about 0:10 left"
        f"{START}{'█' * 30} 3 of 3 judged, 0:30 passed, about 0:00 left\n"
    )


def test_a_bar_is_not_drawn_for_each_answer(clock: Clock) -> None:
    """what comes within a tenth of a second is drawn once, and the last one always"""
    live = Live()
    shown = Progress(500, live)
    for _ in range(500):
        clock.now += 0.01
        shown.advance()
    shown.close()
    drawn = re.findall(r"(\d+) of 500 judged", live.getvalue())
    assert (drawn[0], drawn[-1]) == ("1", "500")
    assert 45 < len(drawn) < 55


@pytest.mark.parametrize("columns", [40, 60, 80, 100])
def test_a_bar_fits_its_terminal(
    clock: Clock, terminal: Terminal, columns: int
) -> None:
    """no line is as wide as the terminal, however large the class and long the run"""
    terminal.is_wide(columns)
    shown = Progress(10_000, terminal.stream)
    shown.done = 4_999
    clock.now += 36_000
    shown.advance()
    (line,) = terminal.shown().split(START)[1:]
    assert "5000 of 10000 judged, 10:00:00 passed" in line
    assert len(line) < columns
    assert columns < 100 or line.startswith("█" * (WIDTH // 2) + "·" * (WIDTH // 2))


def test_a_terminal_without_a_size(clock: Clock, terminal: Terminal) -> None:
    """where nobody has said how wide it is, 80 columns are assumed"""
    terminal.is_wide(0)
    shown = Progress(1, terminal.stream)
    shown.advance()
    assert terminal.shown().startswith(f"{START}{'█' * WIDTH} 1 of 1 judged")


@pytest.mark.parametrize(
    ("total", "said"), [(1, [1]), (20, range(1, 21)), (1000, range(50, 1001, 50))]
)
def test_a_log_gets_few_lines(clock: Clock, total: int, said: range) -> None:
    """where there is no terminal there are twenty whole lines at most, without a bar"""
    log = io.StringIO()
    shown = Progress(total, log)
    for _ in range(total):
        clock.now += 1
        shown.advance()
    shown.close()
    written = log.getvalue().splitlines(keepends=True)
    for number, line in zip(said, written, strict=True):
        assert re.fullmatch(
            rf"{number} of {total} judged, [\d:]+ passed, about [\d:]+ left\n", line
        )


def test_the_last_line_of_an_odd_number(clock: Clock) -> None:
    """the end is said too where the total is no multiple of the step"""
    log = io.StringIO()
    shown = Progress(47, log)
    for _ in range(47):
        shown.advance()
    said = log.getvalue().splitlines()
    assert [line.partition(" ")[0] for line in said] == [
        *map(str, range(3, 46, 3)),
        "47",
    ]


@pytest.mark.parametrize(
    ("done", "total", "passed_s", "said"),
    [
        (1, 4, 10, "0:10 passed, about 0:30 left"),
        (3, 4, 10, "0:10 passed, about 0:03 left"),
        (4, 4, 59.4, "0:59 passed, about 0:00 left"),
        (2, 3, 119.6, "2:00 passed, about 1:00 left"),
        (30, 120, 3600, "1:00:00 passed, about 3:00:00 left"),
        (1, 1000, 8, "0:08 passed, about 2:13:12 left"),
        (0, 4, 10, "0:10 passed, about 0:00 left"),
    ],
)
def test_the_time_left(
    clock: Clock, done: int, total: int, passed_s: float, said: str
) -> None:
    """what is left takes as long for each as what is done has taken"""
    shown = Progress(total, io.StringIO())
    shown.done = done
    clock.now += passed_s
    assert shown.line() == f"{done} of {total} judged, {said}"


@pytest.mark.parametrize("terminal", ["ascii"], indirect=True)
def test_a_terminal_without_the_signs(clock: Clock, terminal: Terminal) -> None:
    """one that cannot show the bar gets the lines of a log, and nothing is raised"""
    shown = Progress(40, terminal.stream)
    for _ in range(40):
        clock.now += 1
        shown.advance()
    shown.close()
    written = terminal.shown().splitlines()
    assert written[0] == "2 of 40 judged, 0:02 passed, about 0:38 left"
    assert written[-1] == "40 of 40 judged, 0:40 passed, about 0:00 left"
    assert len(written) == 20


def test_a_terminal_that_is_gone(clock: Clock, terminal: Terminal) -> None:
    """a closed window or a reader that has left does not end the run"""
    reader, writer = os.pipe()
    with open(writer, "w", encoding="utf-8") as log:
        shown = Progress(2, log)
        os.close(reader)
        shown.advance()
        shown.advance()
        shown.close()
        assert shown.done == 2
        # What is left in the file's buffer has to go somewhere when it is closed.
        os.dup2(terminal.stream.fileno(), writer)


def test_a_run_that_goes_on(nursery: Nursery, tmp_path: Path) -> None:
    """after a kill the same command counts what was left, then nothing"""
    tree, out = tmp_path / "submitted", tmp_path / "out"
    for number in range(6):
        hand_in(tree, f"author{number}", f"x = {number}")
    # 22 acts put the journal's name, the settings and the texts on the disk, then two
    # for each line.
    assert nursery.grade(tree, "-o", out, kill_at=28)["status"] == KILLED
    left = 6 - len(lines(out))
    assert 0 < left < 6
    said = [nursery.grade(tree, "-o", out)["said"] for _ in range(2)]
    counted = [re.findall(r"^\d+ of \d+ judged", each, re.MULTILINE) for each in said]
    wanted = [f"{number} of {left} judged" for number in range(1, left + 1)]
    assert counted == [wanted, []]
