"""What tests about PostgreSQL share: a server with its loop and its processes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import psutil
import psycopg

from grader.postgres.server import Database, Postgres

T = TypeVar("T")


@contextmanager
def short_folder() -> Iterator[Path]:
    """Yield a folder in which a socket's path is not too long, as in a test's own."""
    with TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        yield Path(folder)


class Server:
    """One server and the loop it lives in."""

    def __init__(self, **how: Any) -> None:
        self.runner, self.stack = asyncio.Runner(), AsyncExitStack()
        opened = Postgres.open(**how)
        try:
            self.postgres = self.run(self.stack.enter_async_context(opened))
        except BaseException:
            self.runner.close()
            raise

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop."""
        return self.runner.run(coroutine)

    def create(self, prepared: bool = False) -> Database:
        """Make a database."""
        return self.run(self.postgres.create(prepared))

    def asked(self, statement: str, url: str = "") -> list[tuple[Any, ...]]:
        """Ask the server, as its superuser unless a URL says otherwise."""
        from grader.postgres.address import url_of

        with connected(url or url_of(self.postgres.address)) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    def close(self) -> None:
        """End the server and its loop."""
        self.run(self.stack.aclose())
        self.runner.close()


def connected(url: str, **how: Any) -> psycopg.Connection[Any]:
    """Connect; each statement is a transaction of its own."""
    return psycopg.connect(url, autocommit=True, **how)


def processes_of(folder: Path) -> list[psutil.Process]:
    """Return the server that runs in a folder, with its children and its guard."""
    pid = int((folder / "data" / "postmaster.pid").read_text().partition("\n")[0])
    server = psutil.Process(pid)
    guard = server.parent()
    assert guard is not None
    return [guard, server, *server.children(recursive=True)]
