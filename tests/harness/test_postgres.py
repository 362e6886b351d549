"""A submission's role owns its database, and may do nothing else on the server."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from langgraph.checkpoint.postgres import PostgresSaver

from grader.postgres import programs
from grader.postgres.address import parsed, url_of
from grader.postgres.programs import Programs, Unavailable
from grader.postgres.server import Database
from tests.harness.living import survivors
from tests.harness.postgres import Server, connected, processes_of

DEBIAN = Path("/usr/lib/postgresql")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A throw-away server of whatever programs there are."""
    made = Server()
    yield made
    made.close()


@pytest.fixture(scope="module")
def database(server: Server) -> Database:
    """The database of one submission."""
    return server.create()


def reachable(folder: Path) -> Path:
    """Return the folder, or a copy of it where only root may look into it."""
    closed = [p for p in folder.parents if not p.stat().st_mode & stat.S_IXOTH]
    if os.getuid() or not closed:
        return folder
    package = folder.parents[1]  # beside its libraries, among all packages
    copy = Path(tempfile.gettempdir(), f"postgres-programs-{os.getpid()}")
    if not copy.exists():
        for each in package.parent.glob(f"{package.name}*"):
            shutil.copytree(each, copy / each.name, symlinks=True)
        copy.chmod(0o755)
        atexit.register(shutil.rmtree, copy, ignore_errors=True)
    return copy / folder.relative_to(package.parent)


def source(name: str) -> Programs:
    """Return the programs of the system, or those of the pip package."""
    who = programs.account()
    if name == "pip package":
        return programs.look(reachable(next(programs.bundled())), who)
    folder = next((p for p in programs.folders() if DEBIAN in p.parents), None)
    if folder is None:
        pytest.skip("expected the system package postgresql")
    return programs.look(folder, who)


@pytest.mark.parametrize("name", ["system package", "pip package"])
def test_every_source_serves(name: str) -> None:
    """either source runs LangGraph's saver, and leaves no process and no file"""
    one = Server(found=source(name))
    folder = one.postgres.folder
    assert folder is not None
    running = processes_of(folder)
    for prepared in (True, False):
        url = one.create(prepared).url
        with PostgresSaver.from_conn_string(url) as saver:
            saver.setup()
            assert list(saver.list({"configurable": {"thread_id": "t"}})) == []
    one.close()
    assert not survivors(running)
    assert not folder.exists()


def test_root_serves_as_somebody_else(server: Server) -> None:
    """the server runs as an unprivileged user where its supervisor is root"""
    assert server.postgres.folder is not None
    _, postmaster, *_ = processes_of(server.postgres.folder)
    assert postmaster.uids().real == (os.getuid() or programs.account().uid)  # type: ignore
    assert postmaster.uids().real != 0


FORBIDDEN = (
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY (SELECT 1) TO '/tmp/never'",
    "CREATE TABLE t1 (line text); COPY t1 FROM '/etc/hostname'",
    "SELECT pg_read_file('/etc/hostname')",
    "SELECT pg_read_binary_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_reload_conf()",
    "ALTER SYSTEM SET fsync = on",
    "SET log_min_error_statement = 'debug5'",
    "CREATE ROLE another",
    "CREATE DATABASE another",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE grader PASSWORD 'x'",
    "SET ROLE grader",
    "GRANT grader TO CURRENT_USER",
    "ALTER DATABASE postgres RENAME TO mine",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'getpid'",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_forbidden(database: Database, statement: str) -> None:
    """the role runs no program, reads no file, and alters neither server nor roles"""
    with (
        connected(database.url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)  # type: ignore[arg-type]


def test_no_other_database(server: Server, database: Database) -> None:
    """the role connects to its own database and to none that was there or comes"""
    server.create(prepared=True)
    names = [name for (name,) in server.asked("SELECT datname FROM pg_database")]
    opened = []
    for name in names:
        try:
            connected(url_of({**parsed(database.url), "dbname": name})).close()
            opened.append(name)
        except psycopg.OperationalError:
            continue
    assert len(names) >= 6
    assert opened == [database.name]


def test_no_word_no_entry(server: Server, database: Database) -> None:
    """nobody connects without the right password, not even over the unix socket"""
    for user in ("grader", database.name, f"{database.name}_reader"):
        for password in ("", "guessed"):
            to = {**parsed(database.url), "user": user, "password": password}
            with pytest.raises(psycopg.OperationalError):
                connected(url_of({**to, "passfile": os.devnull}))
    assert server.postgres.socket_folder is not None
    names = {path.name for path in server.postgres.socket_folder.iterdir()}
    assert names == {".s.PGSQL.5432", ".s.PGSQL.5432.lock"}


def test_others_connections_are_safe(server: Server, database: Database) -> None:
    """a role ends no connection of another role, its reader included"""
    other = server.create()
    for url in (other.url, database.reader_url):
        with connected(url) as theirs, connected(database.url) as ours:
            pid = theirs.info.backend_pid
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                ours.execute("SELECT pg_terminate_backend(%s)", [pid])
            assert theirs.execute("SELECT 1").fetchone() == (1,)


def test_the_role_owns_what_is_in_it(server: Server) -> None:
    """LangGraph's tables are there, and are the role's to alter and to drop"""
    with connected(server.create(prepared=True).url) as connection:
        connection.execute("ALTER TABLE checkpoints ADD COLUMN mine text")
        connection.execute("DROP TABLE checkpoint_writes")
        connection.execute("CREATE TABLE own (value text)")
        connection.execute("CREATE SCHEMA app")


def test_connections_are_dropped(server: Server) -> None:
    """every connection of the submission ends, the next one is served"""
    made = server.create()
    with connected(made.url) as first, connected(made.url) as second:
        assert server.run(server.postgres.drop_connections(made)) == 2
        for connection in (first, second):
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
    with connected(made.url) as third:
        assert third.execute("SELECT 1").fetchone() == (1,)


def test_nothing_is_left_of_a_run(server: Server) -> None:
    """a database that is dropped takes its connections and its roles with it"""
    made = server.create(prepared=True)
    with connected(made.url) as connection:
        connection.execute("CREATE TABLE own (value text)")
        server.run(server.postgres.drop(made))
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    every = "SELECT rolname FROM pg_roles UNION SELECT datname FROM pg_database"
    assert not [name for (name,) in server.asked(every) if made.name in name]


def test_a_sandbox_is_shown_the_socket_alone(
    server: Server, database: Database
) -> None:
    """in a sandbox without a network, the folder bound read-only is all it takes"""
    bwrap, folder = shutil.which("bwrap"), server.postgres.socket_folder
    if bwrap is None:
        pytest.skip("expected the system package bubblewrap")
    code = (
        "import os, psycopg\n"
        f"c = psycopg.connect({database.url!r})\n"
        "print(c.execute('SELECT current_user').fetchone()[0])\n"
        f"print(os.listdir({str(folder and folder.parent)!r}))\n"
        f"open({str(folder)!r} + '/new', 'w')"
    )
    ran = subprocess.run(
        [
            *(bwrap, "--ro-bind", "/", "/", "--tmpfs", "/tmp", "--dev", "/dev"),
            *("--ro-bind", str(folder), str(folder), "--unshare-all"),
            *(sys.executable, "-c", code),
        ],
        capture_output=True,
        text=True,
    )
    assert ran.stdout.splitlines() == [database.name, "['s']"], ran.stderr
    assert "Read-only file system" in ran.stderr


def test_none_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """where there are no programs, the error says what to install"""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(programs, "PLACES", ())
    monkeypatch.setattr(programs, "PACKAGE", "no_such_package")
    with pytest.raises(Unavailable, match="install the system package postgresql"):
        Server()


def test_programs_that_do_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """programs that are there and do not run are passed over, and named"""
    for name in programs.NEEDED:
        (tmp_path / name).write_text("#!/bin/sh\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert programs.find().folder != tmp_path
    monkeypatch.setattr(programs, "PLACES", ())
    monkeypatch.setattr(programs, "PACKAGE", "no_such_package")
    with pytest.raises(Unavailable, match=str(tmp_path)):
        programs.find()
