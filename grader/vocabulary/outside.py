"""Steps about what a submission does not decide: its start, its world, its database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHARGE = "charge"  # the event of a request to the ledger
PROFILE = "profile"  # that of one to the upstream; all others are the model's


@dataclass(frozen=True, slots=True)
class StartsApart:
    """This process is started by an interpreter of its own, as on another server.

    All others are forked from another one, and so share the seed of Python's `hash()`.
    It costs a second of processor time, once for all that start so in a harness.
    """

    process: int


@dataclass(frozen=True, slots=True)
class LedgerFails:
    """The ledger answers the next `times` charges with an error.

    `status` is the HTTP status, 0 for a connection that is closed without an answer,
    -1 for an answer that never comes; `charged` says whether it has charged before,
    and `listed` whether its list of charges shows that before it is asked for another.
    """

    status: int = 503
    charged: bool = False
    times: int = 1
    listed: bool = True


@dataclass(frozen=True, slots=True)
class SlowAfter:
    """From the next `event` on, the checkpoint database takes no write.

    Nor, on Linux, can a file beside it be opened for writing. That ends once all
    processes do nothing but wait: for the database, for one. The event is a charge.
    """

    event: str = CHARGE


@dataclass(frozen=True, slots=True)
class Slow:
    """From now on the checkpoint database takes no write.

    Nor, on Linux, can a file beside it be opened for writing. That ends once the
    processes have begun on what they are asked next, and all do nothing but wait: so
    each of them has read before one of them writes.
    """


@dataclass(frozen=True, slots=True)
class DropsConnections:
    """The database server ends every connection of the processes, as a failover does.

    They have ended before the next step; a new connection is accepted at once. SQLite
    has no server, and so nothing to end.
    """


@dataclass(frozen=True, slots=True)
class UpstreamAnswers:
    """From now on the upstream answers about this user with this HTTP status.

    `user` is a template; the status is 0 for a connection that is closed without an
    answer, and 200 for a profile, as ever.
    """

    user: str
    status: int = 503


@dataclass(frozen=True, slots=True)
class StartsEmpty:
    """The processes start at the same instant, on a database with no table in it.

    Each starts with its first call. Another replica is a moment ahead of them: it has
    taken the name `held[0]` of a table or an index, and has not committed. Once every
    process waits for that, asks again and again, or has an outcome, the replica is lost
    and the name is free. The same follows with `held[1]`, and so on, while one of them
    goes on. The last is that of an index: all tables are there, and a migration is not.

    At each name one of four comes through, so somebody is turned away at three of
    them: who gives up after three attempts does so each time, and not by luck.
    """

    held: tuple[str, ...] = (
        "checkpoint_migrations",
        "checkpoints",
        "checkpoint_blobs",
        "checkpoint_writes",
        "checkpoint_writes_thread_id_idx",
    )


@dataclass(frozen=True, slots=True)
class Stalls:
    """The database lets nobody at a table, until all processes do nothing but wait.

    That begins at once, and ends when somebody waits for the table and all others
    wait for something too.
    """

    table: str = "checkpoints"


@dataclass(frozen=True, slots=True)
class Traffic:
    """A gateway sends conversations to servers in turn, all of them at once.

    Within a conversation each request waits for the answer to the one before it, and
    is sent again, to the next server, while no answer or an error comes.

    Args:
        path: of all requests, which are POSTs.
        conversations: the bodies of each one's requests; all texts are templates.
        servers: how many.
        every: after how many answers something fails: "kill", the next server, which
            is started again; "drop", the database's connections; "fail", the model.
        event: of the model, which fails.
    """

    path: str
    conversations: tuple[tuple[Mapping[str, Any], ...], ...]
    servers: int
    every: Mapping[str, int]
    event: str


Outside = (
    StartsApart
    | LedgerFails
    | SlowAfter
    | Slow
    | DropsConnections
    | StartsEmpty
    | Stalls
    | UpstreamAnswers
    | Traffic
)
