"""Grades a class on a disk that gets full, and again on one with room.

It is run in a mount namespace of its own, where it may mount. For each size of the disk
it prints one line of JSON.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.batch.classroom import Nursery, hand_in, lines

AUTHORS = [f"author{number}" for number in range(6)]
# The texts take 24 KiB, with the settings 28, the journal 12 more, then come pages.
SIZES_KIB = (8, 16, 24, 32, 36, 40, 48, 64, 96)
ROOM_KIB = 8192
NO_DISK = 99


def mount(disk: Path, size_kib: int, *more: str) -> None:
    """Mount a disk, or give it another size."""
    options = ",".join([*more, f"size={size_kib}k"])
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(NO_DISK)


def graded(nursery: Nursery, tree: Path, disk: Path, size_kib: int) -> dict[str, Any]:
    """Grade on a disk of this size, then with room, and return what became of it."""
    out = disk / "out"
    mount(disk, size_kib, "remount")
    first = nursery.grade(tree, "-o", out)
    kept = lines(out) if (out / "verdicts.jsonl").exists() else []
    log = nursery.folder / "judged.log"
    log.write_text("")
    mount(disk, ROOM_KIB, "remount")
    then = nursery.grade(tree, "-o", out)
    with (out / "grades.csv").open(newline="") as table:
        rows = [row["author"] for row in csv.DictReader(table)]
    again = {line["sha256"] for line in kept} & {*nursery.judged()}
    whole = lines(out)
    assert whole[: len(kept)] == kept
    shutil.rmtree(out)
    return {
        **{"status": first["status"], "said": first["said"], "then": then["status"]},
        **{"kept": [line["author"] for line in kept], "again": len(again)},
        **{"lines": [line["author"] for line in whole], "rows": rows},
    }


def main(folder: Path) -> None:
    """Print what became of each size."""
    disk, tree = folder / "disk", folder / "submitted"
    disk.mkdir()
    mount(disk, ROOM_KIB)
    for number, author in enumerate(AUTHORS):
        hand_in(tree, author, f"x = {number}")
    (folder / "nursery").mkdir()
    nursery = Nursery(folder / "nursery")
    for size_kib in SIZES_KIB:
        print(json.dumps(graded(nursery, tree, disk, size_kib)), flush=True)
    nursery.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
