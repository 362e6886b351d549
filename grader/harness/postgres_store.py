"""A database of PostgreSQL, as the supervisor of one scenario sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from grader.harness import contents
from grader.harness.ahead import Ahead
from grader.harness.checkpoints import in_cells, in_files
from grader.harness.leaks import Secrets, report
from grader.harness.postgres_rows import BLOBS, CHECKPOINTS, Saved
from grader.harness.relay import NAME
from grader.harness.texts import texts
from grader.harness.wire import Wires
from grader.postgres.address import parsed, url_of
from grader.postgres.reader import Reader, Table, Unreadable
from grader.postgres.server import Database

HOLDS = (
    (BLOBS, "position(%s::bytea IN blob) > 0"),
    (CHECKPOINTS, "position(%s::bytea IN convert_to(checkpoint::text, 'UTF8')) > 0"),
)
TROUBLES_LIMIT = 3  # tables that cannot be read, before the others are left alone


class PostgresStore:
    """A database of PostgreSQL, beside the file that every scenario has."""

    variable = "DATABASE_URL"

    def __init__(
        self, path: Path, database: Database, drop: Callable[[], Awaitable[int]]
    ) -> None:
        self.path, self.database, self._drop = path, database, drop
        self.host = ""  # a folder with a socket, where there is one for the scenario
        self.wires: Wires | None = None  # what passes there
        self.admin_url = ""  # of who may see the locks of all connections
        self._reader = Reader(database.reader_url)

    @property
    def environment(self) -> dict[str, str]:
        """The URL of the database, and the path of the file that is not to be used."""
        to = parsed(self.database.url)
        if self.host:
            to |= {"host": self.host, "port": NAME.rpartition(".")[2]}
        return {"CHECKPOINT_DB": str(self.path), "DATABASE_URL": url_of(to)}

    def holds(self, text: str) -> bool:
        """Whether the text stands in any checkpoint."""
        try:
            tables = self._reader.tables()
            return any(
                self._reader.any(table, condition, text.encode())
                for name, condition in HOLDS
                for table in tables
                if table.name == name
            )
        except Unreadable:
            return False

    def connections(self, pid: int) -> int | None:
        """Return how many connections a process has; None where nobody can tell."""
        return None if self.wires is None else self.wires.count(pid)

    def ahead(self) -> Ahead | None:
        """Return another replica, which is a moment ahead of all others."""
        return Ahead(self.admin_url, self.database.name, self.wires or Wires())

    async def drop_connections(self) -> int:
        """End every connection of the processes; return how many there were."""
        return await self._drop()

    async def look(self, secrets: Secrets) -> dict[str, Any]:
        """Return what is stored now; a submission's locks do not hold up the others."""
        return await asyncio.to_thread(self._look, secrets)

    def close(self) -> None:
        """End the connection."""
        self._reader.close()

    def _look(self, secrets: Secrets) -> dict[str, Any]:
        cells: list[tuple[str, bytes]] = []
        schemas: dict[str, dict[str, list[dict[str, bytes]]]] = {}
        troubles: list[Unreadable] = []
        tables: list[Table] = []
        try:
            tables = self._reader.tables()
        except Unreadable as trouble:
            troubles.append(trouble)
        for table in tables:
            if len(troubles) >= TROUBLES_LIMIT:
                break
            try:
                rows = list(self._reader.rows(table))
            except Unreadable as trouble:
                troubles.append(trouble)
                continue
            cells += [(f"table {table}", v) for row in rows for v in row.values()]
            schemas.setdefault(table.schema, {})[table.name] = rows
        try:
            cells += self._reader.objects()
        except Unreadable as trouble:
            troubles.append(trouble)
        hidden = self._reader.left_out
        saved = [Saved(tables) for tables in schemas.values()]
        for each in saved:
            try:
                each.collect()
            except KeyError as missing:  # a column; the table is not the saver's
                troubles.append(Unreadable("the saver's tables", missing))
        rows_ = [row for each in saved for row in each.rows]
        latest = {k: v for each in saved for k, v in each.latest.items()}
        counts = {k: v for each in saved for k, v in each.counts.items()}
        found = [*in_files(self.path.parent, secrets), *in_cells(cells, secrets)]
        return {
            "threads": [
                {
                    "thread": thread,
                    "namespace": space,
                    "checkpoints": counts[thread, space],
                    "latest": rows[0].checkpoint,
                    "texts": texts(rows),
                }
                for (thread, space), rows in latest.items()
            ],
            "foreign": [
                *contents.foreign(rows_),
                *_unread(troubles),
                *_unread(Unreadable(each, OverflowError()) for each in hidden),
            ],
            "keys": report(found),
            "rows": [
                {"thread": thread, "channels": contents.channels(rows, secrets)}
                for (thread, space), rows in latest.items()
                if not space
            ],
            "sizes_b": contents.sizes_b(rows_),
            "size_b": sum(table.size_b for table in tables),
        }


def _unread(troubles: Iterable[Unreadable]) -> Iterator[dict[str, str]]:
    """Say of what could not be read that it is no data: a lock must hide nothing."""
    for trouble in troubles:
        what = f"what could not be read ({trouble.why})"
        yield {"thread": "", "where": trouble.where, "type": what}
