"""Where one scenario keeps its checkpoints, as its supervisor sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from grader.harness import checkpoints
from grader.harness.leaks import Secrets

if TYPE_CHECKING:  # what it imports costs a tenth of a second
    from grader.harness.ahead import Ahead


class Store(Protocol):
    """A database that all processes of a scenario share, and nobody else does.

    `variable` is the name under which a submission finds it in its environment, `path`
    the file that every scenario has, in a folder that its processes share.
    """

    @property
    def path(self) -> Path: ...
    @property
    def variable(self) -> str: ...
    @property
    def environment(self) -> Mapping[str, str]: ...  # what every process is told

    def holds(self, text: str) -> bool:
        """Whether the text stands in any checkpoint."""

    def connections(self, pid: int) -> int | None:
        """Return how many connections a process has; None where nobody can tell."""

    async def drop_connections(self) -> int:
        """End every connection of the processes; return how many there were."""

    def ahead(self) -> Ahead | None:
        """Return another replica, which is a moment ahead, where there can be one."""

    async def look(self, secrets: Secrets) -> dict[str, Any]:
        """Return what is stored now, as `checkpoints.inspect` does, and `threads`."""


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """A file, in a folder that the processes share."""

    path: Path
    variable: str = "CHECKPOINT_DB"

    @property
    def environment(self) -> dict[str, str]:
        """The path of the file."""
        return {"CHECKPOINT_DB": str(self.path)}

    def holds(self, text: str) -> bool:
        """Whether the text stands in any checkpoint."""
        return checkpoints.holds(self.path, text)

    def connections(self, pid: int) -> int | None:
        """Return None: a file has no connections."""
        return None

    def ahead(self) -> Ahead | None:
        """Return None: SQLite's saver makes its tables by itself, under a lock."""
        return None

    async def drop_connections(self) -> int:
        """Return 0: who opens a file has no connection that a server could end."""
        return 0

    async def look(self, secrets: Secrets) -> dict[str, Any]:
        """Return what is stored now."""
        return checkpoints.inspect(self.path, secrets)
