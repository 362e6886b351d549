"""Starts a throw-away server, and ends it when its supervisor is gone.

It reads one order in JSON from standard input, answers it in one line, and waits for
the end of that input, which comes however the supervisor ends. Where the guard itself
is killed, the kernel ends the server (Linux), or the next start of a harness does.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from grader.postgres import limits, scratch
from grader.postgres.programs import Account, Programs

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PORT = 5432  # a part of the socket's name
READY = b"ready to accept connections"
SUPERUSER = "grader"
LINES_KEPT = 20  # of the server's log, to say why it did not start
# A crash loses all of it, which is the idea; nothing else differs from a server that
# keeps its data. Nothing is left outside the data directory, no shared memory either.
SETTINGS: dict[str, object] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_wal_size": "64MB",
    "max_connections": limits.CONNECTIONS_LIMIT,
    "temp_file_limit": f"{limits.TEMPORARY_FILES_LIMIT_B // 1024}kB",
    "dynamic_shared_memory_type": "mmap",
    "min_wal_size": "32MB",
    "autovacuum_max_workers": 1,
    "max_parallel_workers": 0,
    "log_min_error_statement": "panic",  # a statement may hold a secret
    "lc_messages": "C",
    "deadlock_timeout": "100ms",  # how soon the server looks for a deadlock
    "password_encryption": "scram-sha-256",
}


class Refused(Exception):
    """The server does not start; says what it said."""


class Guard:
    """One server, from its folder to its end."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self.programs = Programs(Path(order["programs"]), "")
        self.who = None if order["uid"] is None else Account(order["uid"], order["gid"])
        self.password = order["password"]
        self.folder, self._lock = scratch.make(order["parent"], self.who)
        self._server: subprocess.Popen[bytes] | None = None
        self._said: collections.deque[bytes] = collections.deque(maxlen=LINES_KEPT)
        self._started: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def start(self) -> dict[str, Any]:
        """Make a cluster and start it; return where it listens.

        Raises:
            Refused, OSError: it does not start.
        """
        data, secret = self.folder / scratch.DATA, self.folder / "password"
        secret.write_text(self.password, "ascii")
        if self.who is not None:
            os.chown(secret, self.who.uid, self.who.gid)
        secret.chmod(0o600)
        options = [
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]
        made = subprocess.run(
            [
                *(self.programs.path("initdb"), f"--pgdata={data}"),
                *(f"--username={SUPERUSER}", f"--pwfile={secret}", *options),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limits.START_LIMIT_S,
            **self._how(signal.SIGKILL),
        )
        secret.unlink()
        if made.returncode:
            raise Refused((made.stderr or made.stdout).decode(errors="replace").strip())
        host, port, settings = self._address()
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        self._server = subprocess.Popen(
            [self.programs.path("postgres"), "-D", str(data)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            **self._how(signal.SIGQUIT if os.name == "posix" else signal.SIGTERM),
        )
        assert self._server.stderr is not None
        listening = threading.Thread(target=self._listen, args=[self._server.stderr])
        listening.daemon = True
        listening.start()
        if not self._started.get(timeout=limits.START_LIMIT_S):
            raise Refused(b"".join(self._said).decode(errors="replace").strip())
        return {"host": host, "port": port}

    def end(self) -> None:
        """End the server at once, and remove its folder."""
        if self._server is not None and self._server.poll() is None:
            with contextlib.suppress(OSError):
                self._server.send_signal(getattr(signal, "SIGQUIT", signal.SIGTERM))
            try:
                self._server.wait(limits.STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
        scratch.remove(self.folder)

    def _address(self) -> tuple[str, int, dict[str, object]]:
        """Return host, port and the settings for them: a unix socket where it can be.

        The socket has a folder of its own, so that a sandbox can be shown that alone.
        """
        address: dict[str, object] = {"listen_addresses": "127.0.0.1"}
        host, port = "127.0.0.1", PORT
        if os.name == "posix":
            host = str(self.folder / scratch.SOCKET)
            address = {"listen_addresses": "", "unix_socket_directories": host}
        else:
            with socket.create_server((host, 0)) as free:
                port = int(free.getsockname()[1])
        return host, port, SETTINGS | address | {"port": port}

    def _listen(self, log: IO[bytes]) -> None:
        """Read all that the server says, so that it never waits for a reader."""
        for line in log:
            self._said.append(line)
            if READY in line:
                self._started.put(True)
        self._started.put(False)

    def _how(self, on_death: signal.Signals) -> dict[str, Any]:
        """Return how to start a program that ends when this process does."""
        environment = {"LC_ALL": "C", "PATH": os.defpath, "HOME": str(self.folder)}
        if "SYSTEMROOT" in os.environ:
            environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
        how: dict[str, Any] = {"cwd": self.folder, "env": environment}
        if self.who is not None:
            how |= {"user": self.who.uid, "group": self.who.gid, "extra_groups": []}
        if sys.platform == "linux":
            how["preexec_fn"] = bound_to_this(on_death)
        return how


def bound_to_this(on_death: signal.Signals) -> Callable[[], None]:
    """Return what a child does before it becomes the program, on Linux.

    The kernel sends it the signal `on_death` when this process is gone.
    """
    import resource

    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, int(on_death), 0, 0, 0)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.FILE_LIMIT_B,) * 2)
        resource.setrlimit(resource.RLIMIT_AS, (limits.MEMORY_LIMIT_B,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if os.getppid() != parent:  # it died before the lines above
            os._exit(1)

    return bind


def main() -> None:
    """Run as `python -m grader.postgres.guard`; it ends with its standard input."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    guard = Guard(json.loads(sys.stdin.readline()))
    try:
        try:
            answer = guard.start()
        except (Refused, OSError, subprocess.SubprocessError, queue.Empty) as problem:
            answer = {"problem": f"{type(problem).__name__}: {problem}"}
        with contextlib.suppress(OSError):  # a supervisor that is gone hears nothing
            print(json.dumps(answer | {"folder": str(guard.folder)}), flush=True)
        sys.stdin.read()
    finally:
        guard.end()


if __name__ == "__main__":
    main()
