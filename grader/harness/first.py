"""One process of a run imports the submission before all others do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from grader.harness.process import Process, SubmissionBroken


class FirstImport:
    """Shared by the scenarios of a run, whichever of them comes first.

    A submission that cannot be imported, or whose import never ends, is found by one
    process and not by all at once: fourteen that spin would take seven times as long.
    """

    def __init__(self, awaited: bool = True) -> None:
        self._claimed, self._awaited = False, awaited
        self._over = asyncio.Event()

    async def past(self) -> None:
        """Return once the first import is over, where any scenario of the run does it.

        A scenario in which processes start with their calls is never the first.
        """
        if self._awaited:
            await self._over.wait()

    async def start(self, processes: Sequence[Process]) -> None:
        """Start all processes of a scenario.

        Raises:
            SubmissionBroken: the first of the run, or all of the scenario, cannot
                import the submission.
        """
        others = list(processes)
        if self._claimed:
            await self._over.wait()
        else:
            self._claimed = True
            try:
                broken = await others.pop(0).start()
            finally:
                self._over.set()
            if broken is not None:
                raise SubmissionBroken(broken)
        found = await asyncio.gather(*(process.start() for process in others))
        if len(others) == len(processes) and all(found) and found[0] is not None:
            raise SubmissionBroken(found[0])
