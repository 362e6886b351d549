"""The folder of a throw-away server: made, locked, and removed when nobody has it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

from grader import locked
from grader.postgres.limits import MIB, STOP_LIMIT_S
from grader.postgres.programs import Account

PREFIX = "grader-pg-"
DATA, SOCKET = "data", "s"
# The path of a unix socket has at most 103 bytes on macOS, 107 on Linux; PostgreSQL
# appends its own name to that of the folder.
PATH_LIMIT = 80
SHARED = ("/tmp", "/var/tmp")
# Databases come and go by hundreds of files, which costs an ext4 folder that was
# emptied lately a quarter of a second each time, and memory a fiftieth.
MEMORY = "/dev/shm"
MEMORY_NEEDED_B = 4 * 1024 * MIB  # a container may have 64 MiB there
LOOK_EVERY_S = 0.02


def make(wanted: str, who: Account | None) -> tuple[Path, int | None]:
    """Return a new folder that `who` may reach, and the lock that keeps it.

    Raises:
        OSError: there is no place for it.
    """
    usable = (at for at in places(wanted, who) if str(at) != MEMORY or has_room(at))
    parent = next(usable, None)
    if parent is None:
        raise OSError(
            "expected a temporary folder with a path of fewer than "
            f"{PATH_LIMIT} characters that every user can reach, found none"
        )
    folder, held = locked.make(parent, PREFIX)
    folder.chmod(0o711)
    for name, mode in ((DATA, 0o700), (SOCKET, 0o755)):
        inner = folder / name
        inner.mkdir()
        inner.chmod(mode)
        if who is not None:
            os.chown(inner, who.uid, who.gid)
    return folder, held


def places(wanted: str, who: Account | None) -> Iterator[Path]:
    """Yield the folders in which one may be made: the wanted one, then the usual."""
    for name in dict.fromkeys((wanted, MEMORY, tempfile.gettempdir(), *SHARED)):
        path = Path(name)
        if name and path.is_dir() and os.access(path, os.W_OK):
            reached = who is None or all(
                each.stat().st_mode & 0o001 for each in (path, *path.resolve().parents)
            )
            if reached and (sys.platform == "win32" or len(name) < PATH_LIMIT):
                yield path


def has_room(memory: Path) -> bool:
    """Return whether a folder in memory can hold a server, and leave room beside it."""
    with contextlib.suppress(OSError):
        free_b = min(shutil.disk_usage(memory).free, psutil.virtual_memory().available)
        return free_b >= MEMORY_NEEDED_B
    return False


def remove_stale(wanted: str, who: Account | None) -> None:
    """End servers whose guard is gone, and remove their folders: no lock is held."""
    for parent in places(wanted, who):
        for folder in locked.stale(parent, PREFIX):
            end_server(folder)
            remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder; a server that is ending may still write to it."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)


def end_server(folder: Path) -> None:
    """End the server of a folder, if it runs: at once, and then with SIGKILL."""
    try:
        line = (folder / DATA / "postmaster.pid").read_text("utf-8").partition("\n")[0]
        server = psutil.Process(int(line))
        if str(folder / DATA) not in server.cmdline():
            return  # the number is another process's by now
        family = [server, *server.children(recursive=True)]
        server.send_signal(getattr(signal, "SIGQUIT", signal.SIGTERM))
        for process in _alive_after(STOP_LIMIT_S, family):
            process.kill()
        _alive_after(STOP_LIMIT_S, family)
    except (OSError, ValueError, psutil.Error):
        return


def _alive_after(
    limit_s: float, processes: Sequence[psutil.Process]
) -> list[psutil.Process]:
    """Return which processes have not ended by then; whose parent sleeps has ended."""
    deadline = time.monotonic() + limit_s
    while True:
        alive = [process for process in processes if _is_alive(process)]
        if not alive or time.monotonic() > deadline:
            return alive
        psutil.wait_procs(alive, LOOK_EVERY_S)


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
