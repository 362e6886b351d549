"""A call that blocks stops every request of its process, and a pool stops the next."""

from grader.vocabulary import Exercise, Run, process, stop_all, together, upstream
from grader.vocabulary.claims import answered
from grader.vocabulary.fetching import (
    all_inside,
    bad_gateway,
    crowds,
    meanwhile,
    nothing_lost,
    own_profile,
)
from grader.vocabulary.scenario import Call

exercise = Exercise(
    title="One slow call stops every request",
    contract=("api: ASGI application",),
    hints=(
        "One OS thread runs the event loop, and all requests of the process with it. "
        "Which line of the node keeps that OS thread while the service thinks, and "
        "what could the loop do in the meantime?",
        "`await` gives the loop back until an answer is there, and only for code that "
        "can be awaited. `requests` cannot. An OS thread can wait for it instead: how "
        "many are there, who decides that, and is it enough for everybody at once?",
        "`httpx.AsyncClient` has the `get` of `httpx.Client`, awaited. Open one in "
        "the `lifespan` for all requests, with a timeout that is longer than the "
        "service takes. `raise_for_status` turns its 503 into an exception: which "
        "function knows how to tell that to the client?",
        "In the node: `response = await client.get(f'/profiles/{user}')`, then "
        "`response.raise_for_status()`. In the endpoint: `try: … except "
        "httpx.HTTPStatusError as error: raise HTTPException(502, f'profile service: "
        "{error.response.status_code}')`, and so for `httpx.TransportError`, without "
        "an address. Who starts a task must also end it when its client has gone.",
    ),
)

# More than anybody's default: the pool of anyio, in which a server runs plain
# endpoints, has 40 OS threads on every machine, and that of asyncio has
# min(32, cpus + 4), so 32 at most. Fewer than httpx's limit of 100 connections.
CROWD, FEW, HEALTH = 48, range(1, 5), process(0).gets("/health")
# Errors that nobody has in mind who reads that the service may say 503.
OTHERS = (507, 429)


def asks(user: str, hangs_up: bool = False) -> Call:
    """Return the step in which process 0 is asked for a profile."""
    return process(0).gets(f"/profile/{user}", hangs_up)


exercise.scenario(
    "in_a_row",
    "two servers are asked for profiles, one after the other, and one twice",
    asks("{user_1}"),
    process(1).gets("/profile/{user_1}"),
    asks("{user_1}"),
    asks("{user_2}"),
)
exercise.scenario(
    "crowd",
    f"{CROWD} users ask one server at once, and the upstream answers nobody until all "
    "are in; meanwhile the server is asked whether it is healthy",
    together(
        *(asks(f"{{user_{n}}}") for n in range(CROWD)),
        held_at="profile",
        meanwhile=(HEALTH,),
    ),
)
exercise.scenario(
    "errors",
    "the upstream fails for one of three users, recovers, hangs up on that user, and "
    "fails in two other ways for a user whom it has answered",
    upstream.fails("{user_2}", 503),
    together(*(asks(f"{{user_{n}}}") for n in (1, 2, 3)), held_at="profile"),
    upstream.recovers("{user_2}"),
    asks("{user_2}"),
    upstream.drops("{user_2}"),
    asks("{user_2}"),
    *(
        step
        for s in OTHERS
        for step in (upstream.fails("{user_3}", s), asks("{user_3}"))
    ),
    asks("{user_1}"),
)
exercise.scenario(
    "hang_up",
    "four clients hang up while the upstream holds their requests, and the server is "
    f"asked whether it is healthy; one fails, {CROWD} users come, and it is stopped",
    upstream.fails("{user_4}", 503),
    together(
        *(asks(f"{{user_{n}}}", True) for n in FEW),
        held_at="profile",
        meanwhile=(HEALTH,),
    ),
    upstream.recovers("{user_4}"),
    together(*(asks(f"{{user_{n}}}") for n in range(CROWD)), held_at="profile"),
    stop_all(),
)


@exercise.check(points=1)
def right_profile(in_a_row: Run, crowd: Run) -> None:
    """everyone gets their own profile, as the service answers it now"""
    users = ("user_1", "user_1", "user_1", "user_2")
    for user, reply in zip(users, in_a_row.replies, strict=True):
        own_profile(in_a_row, reply, in_a_row.drawn[user])
    for number in range(CROWD):
        own_profile(crowd, crowd.replies[number], crowd.drawn[f"user_{number}"])


@exercise.check(points=4)
def inside_at_once(crowd: Run) -> None:
    """48 requests to one server are inside the upstream at the same time"""
    all_inside(crowd, crowds(crowd)[0])


@exercise.check(points=2)
def stays_healthy(crowd: Run, hang_up: Run) -> None:
    """while the upstream holds requests, `/health` is answered, whoever hangs up"""
    meanwhile(crowd, crowd.replies[-1], crowds(crowd)[0])
    meanwhile(hang_up, hang_up.replies[len(FEW)], crowds(hang_up)[0])


@exercise.check(points=2)
def says_why(errors: Run) -> None:
    """an error of the upstream is a 502 with its reason, and nobody else's error"""
    failed = [errors.replies[n] for n in (1, 4, 5, 6)]
    for reply, status in zip(failed, (503, 0, *OTHERS), strict=True):
        bad_gateway(errors, reply, status)
    answered(errors, besides=failed)


@exercise.check(points=1, needs=inside_at_once)
def leaves_nothing(hang_up: Run) -> None:
    """a client that hangs up leaves nothing behind, in the upstream or in the log"""
    for released in crowds(hang_up):
        all_inside(hang_up, released)
    answered(hang_up, besides=hang_up.replies[: len(FEW)])
    nothing_lost(hang_up)
