"""The memory of a run does not grow with the class."""

from __future__ import annotations

from pathlib import Path

from tests.batch.classroom import Nursery, hand_in

FEW, MANY = 30, 300
# What the index of one submission may take: its names, digest and offset.
EACH_KIB = 8
NOISE_KIB = 6 * 1024
PADDING = "# " + "x" * 50_000 + "\n"  # a text that would be noticed if it were kept


def test_a_class_ten_times_as_large(nursery: Nursery, tmp_path: Path) -> None:
    """ten times the submissions take the same memory, but for their names"""
    used = {}
    for count in (FEW, MANY):
        tree, out = tmp_path / f"{count}" / "submitted", tmp_path / f"out-{count}"
        for number in range(count):
            hand_in(tree, f"author{number:04}", f"{PADDING}x = {number}")
        ended = nursery.grade(tree, "-o", out)
        assert ended["status"] == 0
        used[count] = ended["memory_kib"]
    assert used[MANY] - used[FEW] < NOISE_KIB + EACH_KIB * (MANY - FEW)
    assert PADDING.strip() not in (tmp_path / "out-300" / "verdicts.jsonl").read_text()
