"""A submission that is a server: what a client sees, and what its log tells."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from grader.harness import web
from grader.vocabulary import Run, process, stop_all, together
from grader.vocabulary.scenario import Step
from tests.harness.small import Warm, exercise

LOOPBACK = "127.0.0.1"
CONTRACT = ("api: ASGI application",)

APPLICATION = """
import asyncio, json, os

async def api(scope, receive, send):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    body = json.loads((await receive())["body"] or "null")
    client = scope["client"]
    status, value = 200, {"path": scope["path"], "body": body, "client": client}
    if scope["path"] == "/raises":
        raise LookupError("no such thing")
    if scope["path"] == "/refuses":
        status, value = 409, {"reason": "taken"}
    if scope["path"] == "/handles":
        try:
            raise LookupError("no such thing")
        except LookupError:
            status, value = 503, {"reason": "try again"}
    if scope["path"] == "/ends":
        os._exit(7)
    if scope["path"] == "/hangs":
        await asyncio.Event().wait()
    text = "x" * 2**20 if scope["path"] == "/large" else json.dumps(value)
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})

async def lifespan(receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    asyncio.sleep(0)
    await send({"type": "lifespan.shutdown.complete"})
"""


def served(warm: Warm, *steps: Step, text: str = APPLICATION) -> Run:
    """Return what happens when these steps are taken with servers."""
    return warm.histories(text, exercise(*steps, contract=CONTRACT)).runs["only"]


def test_a_request_has_a_reply(warm: Warm) -> None:
    """path and body arrive filled in, and the reply is the response's JSON"""
    run = served(
        warm,
        process(0).posts("/a/{name}", {"texts": ["{word}", 1]}),
        process(1).gets("/b"),
    )
    drawn, (posted, got) = run.drawn, run.replies
    assert posted.data["function"] == f"POST /a/{drawn.name}"
    assert posted.value["path"] == f"/a/{drawn.name}"
    assert posted.value["body"] == {"texts": [drawn.word, 1]}
    assert (got.process, got.value["path"], got.value["body"]) == (1, "/b", None)
    assert [posted.data["status"], got.data["status"]] == [200, 200]


def test_a_client_has_an_address(warm: Warm) -> None:
    """an application that asks for its client's address is told one"""
    assert served(warm, process(0).gets("/")).replies[0].value["client"][0] == LOOPBACK


COUNTING = """
from uvicorn.protocols.http.auto import AutoHTTPProtocol

connections = []

def connection_made(self, transport, made=AutoHTTPProtocol.connection_made):
    connections.append(transport)
    made(self, transport)

AutoHTTPProtocol.connection_made = connection_made
"""


@pytest.mark.parametrize("socket_path_limit_b", [web.SOCKET_PATH_LIMIT_B, 1])
def test_a_connection_is_kept(
    light: Warm,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    socket_path_limit_b: int,
) -> None:
    """a second request, also after a failed one, comes over the first one's
    connection, by a socket in a folder and by a port alike"""
    monkeypatch.setattr(web, "SOCKET_PATH_LIMIT_B", socket_path_limit_b)
    if socket_path_limit_b == 1:
        monkeypatch.setattr(web, "DESCRIPTORS", tmp_path / "none")
    told = APPLICATION.replace('"client": client', '"connections": len(connections)')
    steps = (process(0).gets(path) for path in ("/a", "/refuses", "/b"))
    run = served(light, *steps, text=COUNTING + told)
    first, refused, last = run.replies
    assert refused.data["status"] == 409
    assert [first.value["connections"], last.value["connections"]] == [1, 1]


def test_loopback_where_no_socket_fits(
    light: Warm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """where the path of a socket would be too long, the server has a port"""
    monkeypatch.setattr(web, "SOCKET_PATH_LIMIT_B", 1)
    monkeypatch.setattr(web, "DESCRIPTORS", tmp_path / "none")
    reply = served(light, process(0).gets("/")).replies[0]
    assert reply.value["client"][0] == LOOPBACK


def test_long_paths(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    """a socket whose path would be too long is reached by a shorter one"""
    monkeypatch.setattr(web, "SOCKET_PATH_LIMIT_B", 1)
    if not web.DESCRIPTORS.is_dir():
        pytest.skip("this system has no /proc/self/fd")
    assert served(warm, process(0).gets("/")).replies[0].ok


@pytest.mark.parametrize(
    ("path", "trouble"),
    {
        "/raises": "process 0 answered GET /raises with HTTP 500: "
        "it raised LookupError",
        "/refuses": "process 0 answered GET /refuses with HTTP 409",
        "/handles": "process 0 answered GET /handles with HTTP 503",
        "/ends": "process 0 ended before GET /ends returned",
        "/hangs": "GET /hangs did not return in process 0: 4 s passed",
        "/large": "GET /large in process 0 returned more than 524288 bytes",
    }.items(),
)
def test_a_request_without_a_value(warm: Warm, path: str, trouble: str) -> None:
    """what a request got instead is said, with the line that raised where one did"""
    (reply,) = served(warm, process(0).gets(path)).replies
    assert reply.trouble == trouble
    raised = APPLICATION.splitlines().index(
        '        raise LookupError("no such thing")'
    )
    assert reply.data["line"] == (raised + 1 if path == "/raises" else None)


def test_one_request_of_many_raises(warm: Warm) -> None:
    """of requests at once, the one that raised is told from the others"""
    paths = ["/a", "/raises", "/b", "/raises", "/c"]
    run = served(warm, together(*(process(0).gets(path) for path in paths)))
    errors = [reply.data.get("error") for reply in run.replies]
    assert errors == [None, "LookupError", None, "LookupError", None]


def test_a_stop_completes_the_log(warm: Warm) -> None:
    """what an application leaves undone when it is stopped is in its log"""
    run = served(warm, process(0).gets("/"), stop_all())
    assert [seen.data["code"] for seen in run.of("exit")] == [0]
    (line,) = [s for s in run.of("log") if "never awaited" in s.data["text"]]
    assert "coroutine 'sleep' was never awaited" in line.data["text"]
    assert "/" not in line.data["text"]


def test_a_restart_is_served_anew(warm: Warm) -> None:
    """after a restart the same number is another server"""
    run = served(
        warm, process(0).gets("/a"), process(0).restarts(), process(0).gets("/b")
    )
    assert [reply.value["path"] for reply in run.replies] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("text", "problem"),
    {
        "app = 1": "expected an ASGI application named 'api', found nothing of that",
        "api = 1": "expected an ASGI application named 'api', found 'api' of type int",
        "def api(): pass": "found a function that does not take scope, receive, send",
        "class api: pass": "found a type that does not take scope, receive, send",
    }.items(),
)
def test_no_application(warm: Warm, text: str, problem: str) -> None:
    """what is no application is said before anything is asked of it"""
    made = exercise(process(0).gets("/"), contract=CONTRACT)
    assert problem in warm.outcome(text, made).verdict.problem


def test_a_lifespan_that_hangs(warm: Warm) -> None:
    """an application whose start does not end is told of both that may be why"""
    text = APPLICATION.replace(
        'await send({"type": "lifespan.startup.complete"})',
        "await asyncio.Event().wait()",
    )
    made = exercise(process(0).gets("/"), contract=CONTRACT)
    problem = warm.outcome(text, made).verdict.problem
    assert problem == "importing it, or its lifespan, did not end: 4 s passed"


def test_a_lifespan_that_fails(warm: Warm) -> None:
    """what keeps a server from starting is said, with its line"""
    text = """
from contextlib import asynccontextmanager
from starlette.applications import Starlette

@asynccontextmanager
async def lifespan(app):
    raise LookupError("no database")
    yield

api = Starlette(lifespan=lifespan)
"""
    made = exercise(process(0).gets("/"), contract=CONTRACT)
    problem = warm.outcome(text, made).verdict.problem
    assert problem.startswith("the server could not start in line 7 of the submission")
    assert problem.endswith("LookupError: no database")


def test_a_link_is_not_followed(warm: Warm, tmp_path: Path) -> None:
    """a link in the place of a server's socket leads nobody to another server"""
    if not web.PINNED:
        pytest.skip("this system cannot hold on to a socket")
    with socket.socket(socket.AF_UNIX) as decoy:
        decoy.bind(str(tmp_path / "decoy"))
        decoy.listen()
        decoy.setblocking(False)
        links = f"os.unlink('server.sock'); os.symlink({str(tmp_path / 'decoy')!r}, "
        links += "'server.sock')"
        text = APPLICATION.replace("    await receive()\n", f"    {links}\n", 1)
        reply = served(warm, process(0).gets("/"), text=text).replies[0]
        assert not reply.ok
        with pytest.raises(BlockingIOError):
            decoy.accept()
