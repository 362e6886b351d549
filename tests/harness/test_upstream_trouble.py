"""An upstream that fails, clients that hang up, and a process that is killed."""

from __future__ import annotations

from grader.vocabulary import process, together, upstream
from tests.harness.profiles import AWAITED, asks, crowd, program, served
from tests.harness.small import Warm


def test_fails_and_recovers(warm: Warm) -> None:
    """an error is about the user that a template names, until the upstream recovers"""
    run = served(
        warm,
        program(AWAITED),
        upstream.fails("{user_1}", 500),
        together(asks(1), asks(2), held_at="profile"),
        upstream.drops("{user_1}"),
        asks(1),
        upstream.recovers("{user_1}"),
        asks(1),
    )
    assert [r.data["status"] for r in run.replies] == [502, 200, 502, 200]
    assert "500" in run.replies[0].data["message"]
    assert {s.data["status"] for s in run.of("fetched")} == {500, 200, 0}
    assert "hangs up" in str(run.of("fetched")[2])


def test_a_client_hangs_up(warm: Warm) -> None:
    """it gets no reply, its request ends at the upstream after the release at latest,
    and the process serves whoever comes next"""
    run = served(warm, program(AWAITED), crowd(hangs_up=True), crowd())
    first, again = run.replies[:4], run.replies[4:]
    assert [reply.data["error"] for reply in first] == ["hung_up"] * 4
    assert "hung up" in first[0].trouble
    assert all(reply.ok for reply in again)
    released = run.of("released")
    assert [seen.data["inside"] for seen in released] == [4, 4]
    assert max(reply.number for reply in first) < released[0].number
    ended = [s.number for s in run.of("fetched")][:4]
    assert released[0].number < ended[0]
    assert ended[-1] < run.call(again[0]).number


def test_a_cancelled_request(warm: Warm) -> None:
    """a request that a program gives up has left the upstream, and nobody waited"""
    cancels = """asked = asyncio.ensure_future(get(user))
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        asked.cancel()
        await asyncio.wait({asked})
        return"""
    get = """
async def get(user):
    base, path = os.environ["PROFILE_URL"].split("/", 3)[2:]
    reader, writer = await asyncio.open_connection(*base.split(":"))
    writer.write(f"GET /{path}/profiles/{user} HTTP/1.0\\r\\n\\r\\n".encode())
    try:
        await reader.read()
    finally:
        writer.close()
"""
    run = served(warm, program(cancels) + get, crowd(hangs_up=True))
    (released,) = run.of("released")
    assert [s.data["status"] for s in run.of("fetched")] == [-1] * 4
    assert run.of("fetched")[-1].number < released.number
    assert "hung up" in str(run.of("fetched")[0])


def test_killed_when_it_asks(warm: Warm) -> None:
    """a process can be killed by its request for a profile"""
    run = served(warm, program(AWAITED), process(0).is_killed_when("profile"), asks(1))
    assert run.replies[0].data["error"] == "killed"
    assert run.of("fault")[0].data["event"] == "profile"
