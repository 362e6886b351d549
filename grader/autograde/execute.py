"""Runs a notebook for its outputs; whatever happens to the kernel, it is graded."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

import psutil
from nbclient.exceptions import DeadKernelError
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Float, Int

from grader.autograde.harmless import make_harmless
from grader.autograde.kernel import ENVIRONMENT, SandboxedKernelManager
from grader.autograde.scores import problem_of
from grader.harness.memory import held_b
from grader.harness.tiers import ISOLATED, best

MIB = 1024 * 1024
OUTSIDE = "GRADER_JUDGED_OUTSIDE"
Pair = tuple[Any, dict[str, Any]]


class ExecuteOutside(Execute):
    """nbgrader's Execute with a kernel that is in a sandbox, where there is one.

    nbclient asks once a second whether the kernel is alive; a notebook that has
    reached a limit is answered no, and its kernel is ended.
    """

    notebook_timeout = Float(180.0, help="Seconds for all cells.").tag(config=True)
    output_limit = Int(8 * MIB, help="Bytes that all cells show.").tag(config=True)
    memory_limit = Int(2048 * MIB, help="Bytes of all processes.").tag(config=True)

    def __init__(self, **options: Any) -> None:
        if best() == ISOLATED:
            options.setdefault("kernel_manager_class", SandboxedKernelManager)
        super().__init__(**options)
        self.interrupt_on_timeout = False  # the first cell that hangs is the last
        self._shown_b, self._stopped, self._deadline = 0, "", 0.0
        self._cell: Any = None

    def preprocess(self, nb: Any, resources: Any, km: Any = None) -> Pair:
        """Run the cells, and write down what stopped them, if anything did."""
        if not problem_of(nb):  # else nobody knows which text is meant
            self._execute(nb, resources, km)
        make_harmless(nb)
        return nb, resources

    def _execute(self, nb: Any, resources: dict[str, Any], km: Any) -> None:
        self._deadline = time.monotonic() + self.notebook_timeout
        try:
            with _judged_outside():
                super().preprocess(nb, resources, km)
        except Exception as raised:  # the kernel's trouble loses no submission
            said = str(raised).strip().partition("\n")[0]
            reason = self._stopped or said or type(raised).__name__
            self.log.warning("%s: %s", resources["nbgrader"]["student"], reason)
            self._note(nb, reason)

    def _note(self, nb: Any, reason: str) -> None:
        """Show the reason where the kernel stopped."""
        cell = self._cell or next(c for c in nb.cells if c.cell_type == "code")
        text = f"The notebook was run up to here: {reason}. Its score is not affected."
        cell.outputs.append(
            new_output("error", ename="Stopped", evalue=reason, traceback=[text])  # type: ignore[no-untyped-call]
        )

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> Pair:
        """Run one cell; remember which, and go no further where it passed a limit."""
        self._cell = cell if cell.cell_type == "code" else self._cell
        ran: Pair = super().preprocess_cell(cell, resources, index)
        if self._stopped:  # sooner than the kernel was asked about
            raise DeadKernelError(self._stopped)
        return ran

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:
        """Take what a cell shows, up to a limit."""
        if msg["msg_type"] != "status":
            self._shown_b += len(str(msg["content"]))
            if self._shown_b > self.output_limit:
                self._stopped = f"it showed more than {self.output_limit} bytes"
                return None
        return super().process_message(msg, cell, cell_index)

    async def _async_check_alive(self) -> None:
        if time.monotonic() > self._deadline:
            self._stopped = f"it ran for more than {self.notebook_timeout:g} seconds"
        elif self._memory_b() > self.memory_limit:
            self._stopped = f"it used more than {self.memory_limit} bytes of memory"
        if self._stopped:
            raise DeadKernelError(self._stopped)
        await super()._async_check_alive()

    def _memory_b(self) -> int:
        """Return what the processes in the sandbox have in memory."""
        with contextlib.suppress(psutil.Error):
            top = [psutil.Process(pid) for pid in self._above_all()]
            below = [p for each in top for p in each.children(recursive=True)]
            return held_b([*top[1:], *below], self.memory_limit)
        return 0

    def _above_all(self) -> list[int]:
        """Return who has what the notebook starts for children; the kernel is last."""
        inside = getattr(self.km, "inside", 0)  # adopts what the kernel leaves
        return [inside, self.km.pid] if inside else [os.getpid()]


@contextlib.contextmanager
def _judged_outside() -> Iterator[None]:
    """Tell a kernel without a sandbox too that it does not judge."""
    before = os.environ.get(OUTSIDE)
    os.environ[OUTSIDE] = ENVIRONMENT[OUTSIDE]
    try:
        yield
    finally:
        os.environ.pop(OUTSIDE)
        if before is not None:
            os.environ[OUTSIDE] = before
