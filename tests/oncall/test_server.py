"""The real uvicorn serves a submission, and each line of its log can be used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from grader.oncall.server import NotStarted, Server
from grader.vocabulary.modules import Indivisible

REPO = Path(__file__).parents[2]
APP = """
# === module: answers.py ===
import os

def answer(query):
    if b"run=bad" in query:
        raise LookupError("no such word")
    return os.environ["WORD"].encode()

# === module: app.py ===
from answers import answer

async def api(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            said = (await receive())["type"]
            await send({"type": f"{said}.complete"})
            if said == "lifespan.shutdown":
                return
    body = answer(scope["query_string"])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})
"""
GONE_S = 30.0


def test_two_workers_serve_and_log() -> None:
    """uvicorn's own processes serve; a line has run, process, status, exception"""
    with Server(APP, 2, {"WORD": "sun"}) as server:
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            assert client.get("/?run=a1").text == "sun"
            assert client.get("/?run=bad").status_code == 500
        family = psutil.Process(server._process.pid).children(recursive=True)
        pids = {process.pid for process in family}
    by_run: dict[str, dict[str, object]] = {}
    for line in server.lines:
        if line.get("run"):
            by_run.setdefault(str(line["run"]), {}).update(line)
    assert (by_run["a1"]["status"], "error" in by_run["a1"]) == (200, False)
    assert by_run["bad"]["error"] == "LookupError"
    assert by_run["bad"]["why"] == "no such word"
    assert {by_run["a1"]["process"], by_run["bad"]["process"]} <= pids
    assert not psutil.wait_procs(family, timeout=GONE_S)[1]


def test_what_does_not_start_is_said() -> None:
    """an application that cannot be imported ends in its own last words"""
    with (
        pytest.raises(NotStarted, match="No module named 'answer'"),
        Server(APP.replace("from answers", "from answer"), 1, {"WORD": "sun"}),
    ):
        pass
    with pytest.raises(Indivisible), Server("# === module: a.py ===\n", 1, {}):
        pass


STARTS = """
import sys
from grader.oncall.server import Server
from tests.oncall.test_server import APP

with Server(APP, 2, {"WORD": "sun"}) as server:
    print(server._process.pid, flush=True)
    sys.stdin.read()
"""


def test_nothing_outlives_who_started_it(tmp_path: Path) -> None:
    """killed with SIGKILL, a kernel takes its server and the workers with it"""
    kernel = subprocess.Popen(
        [sys.executable, "-c", STARTS],
        cwd=REPO,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(REPO)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert kernel.stdout is not None
    leash = psutil.Process(int(kernel.stdout.readline()))
    family = [leash, *leash.children(recursive=True)]
    assert len(family) >= 4  # the leash, uvicorn, and two that serve
    kernel.kill()
    kernel.communicate()
    assert not psutil.wait_procs(family, timeout=GONE_S)[1]


def test_time_is_not_waited_for_in_vain() -> None:
    """a server that ends at once is not waited for until the limit"""
    began = time.monotonic()
    with pytest.raises(NotStarted), Server("\nraise SystemExit(3)\n", 1, {}):
        pass
    assert time.monotonic() - began < 100
