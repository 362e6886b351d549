"""What verifying finds: its status, and why something does not hold."""

from __future__ import annotations

from collections.abc import Callable

HOLDS, FALSE, BAD_INPUT, BROKE = 0, 1, 2, 3
Verify = Callable[..., tuple[int, str, str]]


def false(out: str) -> dict[str, str]:
    """Return what does not hold, and why."""
    lines = [line for line in out.splitlines() if line.startswith("  ✗ ")]
    split = [line[4:].split("  does not hold: ") for line in lines]
    return {name: why for name, why in split}
