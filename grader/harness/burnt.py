"""How much processor time a submission's own children have used, ended ones too.

What a worker may use is limited for each call, and by the kernel for the process; a
child that it forks begins anew.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable

import psutil


class Burnt:
    """Adds up what is seen of each process, look by look, over one run."""

    def __init__(self) -> None:
        self._seen: dict[psutil.Process, float] = {}

    def look(
        self,
        processes: Iterable[psutil.Process],
        ours: Collection[int],
        workers: Collection[int],
    ) -> float:
        """Return the seconds used so far by all but `ours`.

        Of `workers` only the time of the children they have waited for counts, which
        may have come and gone between two looks. Of the others it counts too, so that
        a child's may count twice.
        """
        for process in processes:
            if process.pid in ours:
                continue
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                used = times.children_user + times.children_system
                if process.pid not in workers:
                    used += times.user + times.system
                self._seen[process] = used
        return sum(self._seen.values())
