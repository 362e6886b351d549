"""Reads what a process wrote to its log, once it has ended."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from grader.harness.border import clean
from grader.harness.journal import Recorder
from grader.harness.limits import LOG_LINES_LIMIT, OUTPUT_KEPT_B, OUTPUT_LIMIT_B

LINE_LENGTH = 300
# Of a warning's file the name is enough: folders are this machine's own.
FOLDERS = re.compile(r"^/\S*/")
# The lines that say what went wrong; a traceback's frames are indented and left out.
TROUBLE = re.compile(
    r"^(?!\s).*(\b\w*(Error|Exception|Warning)\b|\bevent loop\b|was never awaited"
    r"|was destroyed but|never retrieved|^(WARNING|ERROR|CRITICAL)\b)",
    re.IGNORECASE,
)


def record(recorder: Recorder, process: int, log: Path) -> None:
    """Write down the end of what a process printed, and each line of trouble once."""
    # Its folder is the supervisor's, so it is the file that was made there.
    size = log.lstat().st_size if log.is_file() else 0
    if not size:
        return
    with log.open("rb") as file:
        start = file.read(OUTPUT_LIMIT_B)
        file.seek(max(0, size - OUTPUT_KEPT_B))
        end = file.read()
    text = clean(end.decode("utf-8", "replace"), OUTPUT_KEPT_B)
    recorder.record("output", process, text=text, cut=size > OUTPUT_KEPT_B)
    for line, times in _trouble(start.decode("utf-8", "replace")):
        recorder.record("log", process, text=line, times=times)
    if size > OUTPUT_LIMIT_B:
        limit, found = f"{OUTPUT_LIMIT_B} bytes", f"{size} bytes"
        recorder.record("limit", process, what="output", limit=limit, found=found)


def _trouble(text: str) -> list[tuple[str, int]]:
    found = Counter(
        clean(FOLDERS.sub("", line), LINE_LENGTH)
        for line in text.splitlines()
        if TROUBLE.search(line)
    )
    return list(found.items())[:LOG_LINES_LIMIT]
