"""A server that is given by DATABASE_URL is used as it is, and left as it was."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.harness.databases import Databases
from grader.harness.launch import GraderBroke
from grader.postgres.address import parsed, url_of
from grader.postgres.programs import Unavailable
from tests.harness.living import ROOT
from tests.harness.postgres import Server, connected

NAMES = "SELECT rolname FROM pg_roles UNION ALL SELECT datname FROM pg_database"
HOLDS = """
import asyncio, sys
from grader.postgres.server import Postgres

async def main():
    async with Postgres.open(url=sys.argv[1]) as server:
        await server.create(prepared=True)
        print("made", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def teachers() -> Iterator[Server]:
    """A server that stands for one that a teacher has."""
    made = Server()
    yield made
    made.close()


@pytest.fixture(params=["superuser", "createdb createrole"])
def url(request: pytest.FixtureRequest, teachers: Server) -> Iterator[str]:
    """The URL of a role that may make databases and roles."""
    address = teachers.postgres.address
    rights = request.param
    with connected(url_of(address)) as connection:
        connection.execute(f"CREATE ROLE teacher LOGIN {rights} PASSWORD 'secret'")
        connection.execute("GRANT CONNECT ON DATABASE postgres TO teacher")
        yield url_of({**address, "user": "teacher", "password": "secret"})
        connection.execute("REVOKE ALL ON DATABASE postgres FROM teacher")
        connection.execute("DROP ROLE teacher")


def names(teachers: Server) -> list[str]:
    return sorted(name for (name,) in teachers.asked(NAMES))


def test_used_and_left(teachers: Server, url: str) -> None:
    """databases are made there, and none is left, nor a role"""
    before = names(teachers)
    one = Server(url=url)
    for prepared in (True, False):
        made = one.create(prepared)
        with connected(made.url) as connection, connected(made.reader_url) as reader:
            connection.execute("CREATE TABLE own (value text)")
            assert reader.execute("SELECT * FROM own").fetchall() == []
            rights = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles"
            asked = connection.execute(f"{rights} WHERE rolname = current_user")
            assert asked.fetchone() == (False,)
    assert len(names(teachers)) > len(before)
    one.close()
    assert names(teachers) == before


def test_killed(teachers: Server, url: str) -> None:
    """what a killed harness has left there is removed by the next, and only that"""
    before = names(teachers)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"made\n"
        alive = names(teachers)
        Server(url=url).close()
        assert names(teachers) == alive
        killed.send_signal(signal.SIGKILL)
    # The server notices the end of a connection in its own time.
    gone = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    token = next(n for n in alive if n not in before).rsplit("_", 1)[0]
    with connected(url_of(teachers.postgres.address)) as connection:
        while connection.execute(gone, [token]).fetchone() != (0,):
            connection.execute("SELECT pg_stat_clear_snapshot()")
    Server(url=url).close()
    assert names(teachers) == before


def test_not_there(tmp_path: Path) -> None:
    """a URL at which nobody answers is an error that says so"""
    url = f"postgresql://me@/none?host={tmp_path}"
    with pytest.raises(Unavailable, match="expected a PostgreSQL at DATABASE_URL"):
        Server(url=url)
    with pytest.raises(Unavailable, match="expected a connection string") as raised:
        Server(url="secret nonsense")
    assert "secret" not in str(raised.value)


def test_the_harness_takes_it(
    monkeypatch: pytest.MonkeyPatch, teachers: Server, tmp_path: Path
) -> None:
    """a run uses the server that DATABASE_URL names, or says that it does not answer"""

    async def host() -> str:
        databases = Databases()
        try:
            made = await databases.create(prepared=False)
            await databases.drop(made)
            return parsed(made.url)["host"]
        finally:
            await databases.close()

    monkeypatch.setenv("DATABASE_URL", url_of(teachers.postgres.address))
    assert asyncio.run(host()) == str(teachers.postgres.socket_folder)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me@/none?host={tmp_path}")
    with pytest.raises(GraderBroke, match="not run without PostgreSQL"):
        asyncio.run(host())


URLS = (
    {"user": "a b", "password": "p/@:%", "dbname": "d/1", "host": "/tmp/s"},
    {"user": "u", "password": "p", "dbname": "d", "host": "::1", "port": "5433"},
    {"user": "u", "dbname": "d", "host": "h", "sslmode": "require"},
    {"dbname": "d", "options": "-c role=x"},
)


@pytest.mark.parametrize("parameters", URLS, ids=lambda p: p.get("host", "none"))
def test_a_url_says_what_was_meant(parameters: dict[str, str]) -> None:
    """a URL made of parameters is read as these parameters"""
    assert parsed(url_of(parameters)) == parameters
