"""Runs a submission's cell in the kernel too, as the module that the processes see."""

from __future__ import annotations

import linecache
import os
import sys
import tempfile
import types
from collections.abc import Mapping
from typing import Any

MODULE = "submission"
FILE = "<submission>"


def enter(environment: Mapping[str, str]) -> None:
    """Point the kernel's own calls at the stand-in model and a database of its own.

    A server that the user's own DATABASE_URL names is the grader's to use, with rights
    that no cell should have.
    """
    os.environ.pop("DATABASE_URL", None)
    os.environ.update(environment)


def alone() -> dict[str, str]:
    """Return an environment for a kernel with no service beside it.

    A database is there, and no model: nobody listens at that address.
    """
    file = os.path.join(tempfile.gettempdir(), "checkpoints.db")
    return {
        "CHECKPOINT_DB": file,
        "OPENAI_API_KEY": "nobody-listens",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    }


def run(shell: Any, text: str) -> None:
    """Run `text` as the module `submission`, and give its names to the notebook.

    What it raises is shown with the learner's own lines only, and goes no further:
    the cells below can still be run.
    """
    linecache.cache[FILE] = (len(text), None, text.splitlines(keepends=True), FILE)
    try:
        code = compile(text, FILE, "exec")
    except (SyntaxError, ValueError):
        shell.showsyntaxerror(FILE)
        return
    module = types.ModuleType(MODULE)
    module.__file__ = FILE
    sys.modules[MODULE] = module
    try:
        exec(code, module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # SystemExit would end the kernel's cell silently
        shell.showtraceback((type(raised), raised, _own(raised.__traceback__)))
        return
    names = {k: v for k, v in vars(module).items() if not k.startswith("__")}
    shell.user_ns.update(names)


def _own(trace: types.TracebackType | None) -> types.TracebackType | None:
    """Return a traceback from the first to the last line of the submission."""
    first = last = None
    step = trace
    while step is not None:
        if step.tb_frame.f_code.co_filename == FILE:
            first, last = first or step, step
        step = step.tb_next
    if last is None:
        return trace
    last.tb_next = None
    return first
