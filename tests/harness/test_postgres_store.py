"""What a submission stores in PostgreSQL is read as data, and nothing is hidden."""

from __future__ import annotations

import asyncio
import base64
import gzip
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from grader.harness.leaks import Secrets
from grader.harness.postgres_store import PostgresStore
from grader.postgres.server import Database
from tests.harness.postgres import Server, connected

KEY = "sk-0123456789abcdef0123456789abcdef"
CONFIG: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A throw-away server."""
    made = Server()
    yield made
    made.close()


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A database with LangGraph's tables."""
    made = server.create(prepared=True)
    yield made
    server.run(server.postgres.drop(made))


@pytest.fixture
def store(
    server: Server, database: Database, tmp_path: Path
) -> Iterator[PostgresStore]:
    """What the supervisor sees of it."""
    made = watched(server, tmp_path / "shared" / "checkpoints.db", database)
    yield made
    made.close()


def watched(server: Server, path: Path, database: Database) -> PostgresStore:
    """Return a database as the supervisor sees it."""
    drop = partial(server.postgres.drop_connections, database)
    return PostgresStore(path, database, drop)


def looked(store: PostgresStore) -> dict[str, Any]:
    """Return what the supervisor sees now."""
    return asyncio.run(store.look(Secrets({0: KEY})))


def put(database: Database, pickles: bool = False, **values: Any) -> None:
    """Store one checkpoint as LangGraph does."""
    with PostgresSaver.from_conn_string(database.url) as saver:
        saver.serde = JsonPlusSerializer(pickle_fallback=pickles)
        versions: Any = dict.fromkeys(values, "1")
        checkpoint = empty_checkpoint() | {
            "channel_values": values,
            "channel_versions": versions,
        }
        saver.put(CONFIG, checkpoint, {"step": 1}, versions)  # type: ignore[arg-type]


def did(database: Database, *statements: str) -> None:
    """Do what a submission may."""
    with connected(database.url) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]


def test_an_empty_database(store: PostgresStore, server: Server) -> None:
    """no table of LangGraph's, or none with a row, is nothing stored"""
    empty = watched(server, store.path, server.create(prepared=False))
    for each in (store, empty):
        seen = looked(each)
        assert seen["threads"] == seen["foreign"] == seen["keys"] == []
        assert not each.holds("Ada")
    empty.close()


def test_small_and_large_values(store: PostgresStore, database: Database) -> None:
    """values in the row and values beside it are one checkpoint"""
    put(database, messages=[HumanMessage("My name is Ada.")], topic="names", n=3)
    seen = looked(store)
    (thread,) = seen["threads"]
    assert (thread["thread"], thread["checkpoints"]) == ("t", 1)
    assert {"My name is Ada.", "names"} <= set(thread["texts"])
    (row,) = seen["rows"]
    types = {c["channel"]: c["type"] for c in row["channels"]}
    assert types["messages"].startswith("list of langchain_core.messages")
    assert (types["topic"], types["n"]) == ("str", "int")
    assert seen["foreign"] == []
    assert seen["sizes_b"]["t"][0] > 0
    assert store.holds("is Ada")
    assert store.holds("names")
    assert not store.holds("Grace")


def test_objects_are_foreign(store: PostgresStore, database: Database) -> None:
    """a model in a channel is foreign, and its key is found and shown masked"""
    put(database, llm=ChatOpenAI(model="m", api_key=KEY))
    seen = looked(store)
    assert seen["foreign"][0]["where"] == "channel llm"
    assert "ChatOpenAI" in seen["foreign"][0]["type"]
    assert seen["keys"] == [
        {"where": "table checkpoint_blobs", "process": 0, "encoding": "clear text"}
    ]
    assert KEY[3:] not in str(seen["rows"])
    assert f"sk-…{KEY[-4:]}" in str(seen["rows"])


def test_pickles_are_foreign(store: PostgresStore, database: Database) -> None:
    """what only the program itself can read is not data"""
    put(database, True, thing=object())
    seen = looked(store)
    assert "pickle" in seen["foreign"][0]["type"]
    assert seen["threads"][0]["texts"] is None


PLACES = {
    "text": ("CREATE TABLE t (v text)", KEY),
    "json": ("CREATE TABLE t (v jsonb)", f'{{"a": ["{KEY}"]}}'),
    "an array": ("CREATE TABLE t (v text[])", f"{{{KEY}}}"),
    "another schema": ("CREATE SCHEMA s; CREATE TABLE s.t (v text)", KEY),
    "a type of its own": ("CREATE DOMAIN d AS text; CREATE TABLE t (v d)", KEY),
}
SPELLED = {
    "clear text": KEY.encode(),
    "base64": base64.b64encode(KEY.encode()),
    "hex": KEY.encode().hex().encode(),
    "clear text, compressed": gzip.compress(KEY.encode()),
    "reversed": KEY[::-1].encode(),
}


@pytest.mark.parametrize("place", PLACES)
def test_keys_are_found_anywhere(
    store: PostgresStore, database: Database, place: str
) -> None:
    """a key is found in every table of every schema, whatever its type"""
    make, value = PLACES[place]
    table = "s.t" if "s.t" in make else "t"
    did(database, make, f"INSERT INTO {table} VALUES ('{value}')")
    found = [(key["where"], key["encoding"]) for key in looked(store)["keys"]]
    assert found == [(f"table {table}", "clear text")]


@pytest.mark.parametrize("how", SPELLED)
def test_keys_are_found_in_every_spelling(
    store: PostgresStore, database: Database, how: str
) -> None:
    """bytes are searched as in a file of SQLite"""
    value = SPELLED[how].hex()
    make = "CREATE TABLE t (v bytea)", f"INSERT INTO t VALUES ('\\x{value}')"
    did(database, *make)
    assert how in [key["encoding"] for key in looked(store)["keys"]]


def test_keys_are_found_in_large_objects(
    store: PostgresStore, database: Database
) -> None:
    """what is no row of a table is found too"""
    did(database, f"SELECT lo_from_bytea(0, '{KEY}'::bytea)")
    (found,) = looked(store)["keys"]
    assert "large object" in found["where"]


def test_keys_are_found_in_files(store: PostgresStore) -> None:
    """the folder that the processes share is searched as ever"""
    store.path.parent.mkdir()
    (store.path.parent / "notes.txt").write_text(KEY)
    (found,) = looked(store)["keys"]
    assert found["where"] == "notes.txt"


LIES = {
    "a lock": ("BEGIN", "LOCK TABLE checkpoint_blobs"),
    "a policy": (
        "ALTER TABLE checkpoint_blobs ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE checkpoint_blobs FORCE ROW LEVEL SECURITY",
    ),
    "another table": (
        "DROP TABLE checkpoints",
        "CREATE TABLE checkpoints (thread_id text)",
        "INSERT INTO checkpoints VALUES ('t')",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_cannot_be_read_is_said(
    store: PostgresStore, database: Database, lie: str
) -> None:
    """a lock, a policy or a table of another form hides nothing: it is foreign"""
    put(database, llm=ChatOpenAI(model="m", api_key=KEY))
    with connected(database.url) as connection:
        for statement in LIES[lie]:
            connection.execute(statement)  # type: ignore[arg-type]
        seen = looked(store)
    assert [f for f in seen["foreign"] if "could not be read" in f["type"]]


def test_nothing_of_a_submission_runs(store: PostgresStore, database: Database) -> None:
    """a cast and a view of its own are not asked, and rights are its own at most"""
    did(
        database,
        "CREATE TYPE own AS (v text)",
        "CREATE FUNCTION lies(own) RETURNS text LANGUAGE sql AS 'SELECT ''nothing'''",
        "CREATE CAST (own AS text) WITH FUNCTION lies(own) AS IMPLICIT",
        "CREATE TABLE t (v own)",
        f"INSERT INTO t VALUES (ROW('{KEY}'))",
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
        f"ALTER DATABASE {database.name} SET statement_timeout = 0",
    )
    seen = looked(store)
    assert [key["where"] for key in seen["keys"]] == ["table t"]
    assert seen["foreign"] == []


def test_the_reader_writes_nothing(database: Database) -> None:
    """the supervisor's role has no more rights than the submission's"""
    with connected(database.reader_url) as connection:
        rights = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(rights).fetchone() == (False,)
