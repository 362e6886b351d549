"""One real nginx before the servers of a scenario, where the machine has it.

Which server a request is for, the request says; so routing is as exact as without it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from grader.harness.launch import GraderBroke
from grader.harness.limits import BALANCER_LIMIT_S
from grader.harness.patience import until
from grader.harness.process import Process
from grader.harness.web import DESCRIPTORS, SERVER_HEADER, SOCKET, Door
from grader.postgres.guard import bound_to_this
from grader.postgres.programs import Unavailable, account

PLACES = ("/usr/sbin", "/usr/local/sbin")  # not on every user's PATH
VERSION = re.compile(r"/(\d+)\.(\d+)\.(\d+)")
OLDEST = (1, 19, 5)  # the first that is told where its first words go
INSTALL = "install the system package nginx-light (or nginx)"
SETTINGS, PID, LOG = "nginx.conf", "nginx.pid", "error.log"
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
# One process, so that its end is the end of all of it. Nothing has a time limit, is
# sent twice or is kept back: what a client sees is what the server did. Each request
# has a connection to its server, because one that is kept might be a dead server's.
# Where no answer came, the client's connection ends too, as it does without nginx.
CONFIGURATION = """
daemon off;
master_process off;
pid {pid};
error_log {log} warn;
events {{ worker_connections 1000; }}
http {{
    access_log off;
    server_tokens off;
    keepalive_timeout 1h;
    send_timeout 1h;
    client_max_body_size 0;
{temporary}
{upstreams}
    server {{
        listen unix:{socket};
        location / {{
            proxy_pass http://server_${variable};
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Connection "";
            proxy_set_header {header} "";
            proxy_next_upstream off;
            proxy_request_buffering off;
            proxy_buffering off;
            proxy_buffer_size 128k;
            proxy_buffers 4 128k;
            proxy_read_timeout 1h;
            proxy_send_timeout 1h;
            # A submission gives no orders to it.
            proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Charset
                X-Accel-Limit-Rate X-Accel-Buffering Expires Cache-Control Set-Cookie
                Vary;
            error_page 500 502 504 = @nobody;
        }}
        location @nobody {{ return 444; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Program:
    """The nginx of this machine; `problem` says why it is not used, where it is not."""

    path: str = ""
    version: str = ""
    problem: str = ""


@cache
def look() -> Program:
    """Return what there is on this machine."""
    if sys.platform != "linux":
        return Program(problem="it is used on Linux, where it ends with the grader")
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *PLACES])
    found = shutil.which("nginx", path=path)
    if found is None:
        return Program(problem=INSTALL)
    try:
        said = subprocess.run(
            [found, "-v"], capture_output=True, text=True, timeout=BALANCER_LIMIT_S
        ).stderr
    except (OSError, subprocess.SubprocessError) as problem:
        return Program(found, problem=f"it does not run: {problem}")
    return judged(found, said)


def judged(path: str, said: str) -> Program:
    """Return a program, and whether it is used, from what it says of its version."""
    match = VERSION.search(said)
    version = match[0][1:] if match else "of no known version"
    if match is None or tuple(int(number) for number in match.groups()) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return Program(path, version, f"expected nginx {wanted} or later")
    return Program(path, version)


class Balancer:
    """One nginx for as long as a scenario runs; without it requests go straight.

    Args:
        home: the harness's own folder, where no submission sees it.
        folder: the scenario's, in which the processes have theirs.
    """

    def __init__(self, home: Path, folder: Path) -> None:
        self._home, self._folder = home / f"nginx-{secrets.token_hex(4)}", folder
        self._nginx: asyncio.subprocess.Process | None = None

    async def open(self, processes: Sequence[Process]) -> None:
        """Let the requests to these servers pass through it, where it starts.

        Their working folders are there, and none has started.
        """
        program = look()
        if program.problem or not all(process.job.address for process in processes):
            return
        try:
            how = self._prepared(processes)
        except Unavailable:  # nobody that root could start it as
            return
        # By a descriptor, its user reaches what is in a folder of root's alone.
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            at = DESCRIPTORS / str(folder)
            (self._home / SETTINGS).write_text(_configuration(at, processes), "utf-8")
            self._nginx = await asyncio.create_subprocess_exec(
                *(program.path, "-p", "./", "-c", SETTINGS, "-e", LOG),
                pass_fds=[folder],
                **how,
            )
        finally:
            os.close(folder)
        nginx, listening = self._nginx, self._home / PID  # written once it listens
        await until(
            lambda: listening.exists() or nginx.returncode is not None,
            BALANCER_LIMIT_S,
            [nginx.pid],
        )
        if nginx.returncode is not None or not listening.exists():
            await self.close()
            return
        for process in processes:
            process.door = Door(str(self._home), process.number, nginx.pid)

    def certify(self) -> None:
        """Say so when it has ended: what it did not pass on is no evidence.

        Raises:
            GraderBroke: it has.
        """
        if self._nginx is not None and not _lives(self._nginx.pid):
            said = (self._home / LOG).read_text(errors="replace")[-300:]
            raise GraderBroke(f"nginx ended during the run: {said}")

    async def close(self) -> None:
        """End it, and remove its folder."""
        nginx, self._nginx = self._nginx, None
        if nginx is not None:
            with contextlib.suppress(ProcessLookupError):
                nginx.kill()
            await nginx.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _prepared(self, processes: Sequence[Process]) -> dict[str, Any]:
        """Make its folder; return how it is started: never as root."""
        who = account()
        how: dict[str, Any] = dict.fromkeys(
            ("stdin", "stdout", "stderr"), asyncio.subprocess.DEVNULL
        )
        how |= {"cwd": self._home, "env": {}, "start_new_session": True}
        how |= {"preexec_fn": bound_to_this(signal.SIGKILL)}
        self._home.mkdir()
        if who is not None:
            os.chown(self._home, who.uid, who.gid)
            how |= {"user": who.uid, "group": who.gid, "extra_groups": []}
            for process in processes:
                os.chmod(process.job.cwd, 0o755)
            self._folder.chmod(0o755)
        self._home.chmod(0o700)
        return how


def _lives(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def _configuration(at: Path, processes: Sequence[Process]) -> str:
    upstreams = [
        f"    upstream server_{process.number} "
        f"{{ server unix:{at / Path(process.job.cwd).name / process.job.address}; }}"
        for process in processes
    ]
    return CONFIGURATION.format(
        pid=PID,
        log=LOG,
        socket=SOCKET,
        header=SERVER_HEADER,
        variable="http_" + SERVER_HEADER.replace("-", "_"),
        temporary="\n".join(f"    {name}_temp_path {name};" for name in TEMPORARY),
        upstreams="\n".join(upstreams),
    )
