"""What is asked of the upstream: who is inside at once, and who gets which answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.vocabulary.claims import fail
from grader.vocabulary.observation import Observation, short
from grader.vocabulary.run import Run

SERVER_POOL = 40  # OS threads in which a server runs plain endpoints: anyio's default
AS_IT_CAME = "return what the service answers to this request, as it came"
LOST = re.compile(
    r"was never awaited|Task was destroyed but it is pending|never retrieved",
    re.IGNORECASE,
)


def own_profile(run: Run, reply: Observation, user: str) -> None:
    """Fail unless a reply is what the upstream answered about a user in this call."""
    value = reply.value
    given = [s for s in run.of("fetched") if s.data["status"] == 200]
    during = [s for s in run.during(reply, "fetched") if s in given]
    if any(_is(value, s) for s in during if s.data["user"] == user):
        return
    same = [seen for seen in given if _is(value, seen)]
    what = f"the profile of {user} is not what the service ever answered"
    if same and same[0].data["user"] != user:
        what = f"{user} was given the profile of {same[0].data['user']}"
    elif same:
        what = f"{user} was given what the service had answered to an earlier request"
    fail(what, because=[*same[:1], reply], help=AS_IT_CAME)


def all_inside(run: Run, released: Observation) -> None:
    """Fail unless all calls of a step were inside the upstream before its end."""
    inside, expected = released.data["inside"], released.data["expected"]
    if inside >= expected:
        return
    before = [s for s in run.of("fetch") if s.number < released.number]
    fail(
        f"{inside} of {expected} requests were inside the upstream when "
        f"{_when(released)}",
        because=[*before[-1:], released],
        help=_ceiling(inside),
    )


def meanwhile(run: Run, reply: Observation, released: Observation) -> None:
    """Fail unless a call was answered while requests were inside the upstream."""
    if not released.data["inside"]:
        fail(
            "no request was inside the upstream, so nothing was to be waited for",
            because=[released, reply],
            help="what does your code ask, and whom?",
        )
    if not reply.ok and reply.number < released.number:
        raise reply.failure
    if reply.number > released.number:
        fail(
            f"{reply.data['function']} was answered only after the upstream had been",
            because=[run.call(reply), released, reply],
            help="what does this endpoint need that the requests inside the upstream "
            "have not given back: the event loop, an OS thread, a permit, the service?",
        )


def bad_gateway(run: Run, reply: Observation, status: int) -> None:
    """Fail unless a reply is a 502 whose `detail` names the upstream's status."""
    errors = [s for s in run.during(reply, "fetched") if s.data["status"] == status]
    if not errors:
        fail("the upstream was not asked", because=[reply], help=AS_IT_CAME)
    if reply.data.get("status") != 502:
        found = f"{reply.data['function']} was answered with "
        found += f"HTTP {reply.data['status']}" if "status" in reply.data else "nothing"
        fail(
            f"the upstream failed, and {found}",
            because=[errors[-1], reply],
            help="whose fault is it, the client's, yours, or that of the service "
            "behind you? Which status says so?",
        )
    reason = str(reply.data.get("message"))
    said = re.search(r'"detail"\s*:\s*"\s*[^"\s]', reason)
    if not said or (status and str(status) not in reason):
        names = f" that names its status {status}" if status else ""
        fail(
            f"the 502 gives no reason{names}: {short(reason)}",
            because=[errors[-1], reply],
            help="who is on call sees this text first: what did the service answer?",
        )


def nothing_lost(run: Run) -> None:
    """Fail where a task or a coroutine was left behind, in the upstream or the log."""
    left = {seen.data["request"] for seen in run.of("fetched")}
    inside = [seen for seen in run.of("fetch") if seen.data["request"] not in left]
    if inside:
        fail("a request is inside the upstream at the end", because=inside)
    lines = [seen for seen in run.of("log") if LOST.search(seen.text)]
    if lines:
        fail(
            f"the log of process {lines[0].process} names what nobody waited for",
            because=lines,
            help="whoever starts a task waits for it, or cancels it and waits: who "
            "does it when the client is gone?",
        )


def crowds(run: Run) -> Sequence[Observation]:
    """Return what was seen at the end of each step whose calls were held."""
    return run.of("released", "profile")


def _is(value: object, fetched: Observation) -> bool:
    return bool(value == fetched.data["profile"])


def _when(released: Observation) -> str:
    return str(released.data.get("why") or "the upstream answered")


def _ceiling(inside: int) -> str:
    if not inside:
        return "what does your code ask, and whom, and what does it raise before?"
    if inside == 1:
        return (
            "one request waits, and all others wait for it: what does the event loop "
            "do meanwhile, and who lets only one in?"
        )
    if inside == SERVER_POOL:
        return (
            "the server's pool for plain endpoints has 40 OS threads: who waits in "
            "each of them, and where does the next request wait?"
        )
    return (
        f"something lets {inside} in at once. The default pool of asyncio has "
        "min(32, cpus + 4) OS threads, and a client or a semaphore a limit of its own"
    )
