"""Finds the number that this machine has for a process inside a sandbox."""

from __future__ import annotations

from pathlib import Path


def child_on_host(pid: int, parent: int) -> int:
    """Return the host's number of a child; -1 where it has ended."""
    found = children(parent)
    if pid in found and _own(pid) == pid:  # no sandbox, and one look is enough
        return pid
    return next((child for child in found if _own(child) == pid), -1)


def children(pid: int) -> list[int]:
    """Return the children of a process, as this machine numbers them."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        return [int(child) for child in text.split()]
    except OSError:
        import psutil

        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []


def _own(pid: int) -> int:
    """Return what a process calls itself, in the innermost of its namespaces."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    except (OSError, ValueError):
        return -1
    return pid  # a kernel, or a system, without such namespaces
