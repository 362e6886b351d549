"""Whoever owns a database must gain nothing from who looks into it, or removes it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from grader.harness.ahead import Ahead
from grader.harness.wire import Wires
from grader.postgres.server import Database
from tests.harness.postgres import Server, connected, short_folder


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A throw-away server."""
    with short_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        made = Server(folder=str(folder))
        yield made
        made.close()


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A submission's database; its test removes it, or this does."""
    made = server.create(prepared=True)
    yield made
    server.run(server.postgres.drop(made))


LIES = """
    CREATE TABLE said (rights boolean);
    CREATE SCHEMA own;
    CREATE FUNCTION own.pg_blocking_pids(integer) RETURNS integer[]
    LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO public.said
        SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user;
        RETURN '{1}'; END $$;
"""


def test_nothing_of_a_submission_runs_for_who_waits(
    server: Server, database: Database
) -> None:
    """a search path that it sets for its database names no function to a superuser"""
    with connected(database.url) as own:
        own.execute(LIES)
        path = "search_path = own, public, pg_catalog"
        own.execute(f"ALTER DATABASE {database.name} SET {path}")  # type: ignore[arg-type]
    ahead = Ahead(server.postgres.url_in(database), database.name, Wires())
    server.run(ahead.lock("checkpoints"))
    with connected(database.url) as own:  # somebody who waits is looked at
        own.execute("SET search_path = public")
        server.run(ahead.blocked())
        server.run(ahead.close())
        assert own.execute("SELECT rights FROM said").fetchall() == []


KEEPS = {
    "a lock": "COMMENT ON DATABASE {} IS 'mine'; SELECT pg_sleep(15)",
    "a template": "ALTER DATABASE {} IS_TEMPLATE true",
}


@pytest.mark.parametrize("how", KEEPS)
def test_no_database_is_kept(server: Server, how: str) -> None:
    """whatever its owner holds or has set, it is removed, and nobody waits for that"""
    database = server.create()
    began = f"SELECT FROM pg_stat_activity WHERE usename = '{database.name}'"
    with connected(database.url) as own, ThreadPoolExecutor() as beside:
        doing = beside.submit(own.execute, KEEPS[how].format(database.name))  # type: ignore[arg-type]
        while how == "a lock" and not server.asked(f"{began} AND wait_event='PgSleep'"):
            pass
        server.run(server.postgres.drop(database))
        ended = doing.exception()
        assert how != "a lock" or isinstance(ended, psycopg.errors.AdminShutdown)
    named = f"FROM pg_database WHERE datname = '{database.name}'"
    assert server.asked(f"SELECT {named}") == []
