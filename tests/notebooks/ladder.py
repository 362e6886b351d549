"""What ex03's ladder of errors prints, against what its prose says of each."""

from __future__ import annotations

import re
from typing import Any

STEM = "ex03_async_mismatch"
# The cell of each rung, the class of its error, and the sentence as the prose has it.
NOT_AWAITED = "The SqliteSaver does not support async methods. …"
RUNGS = (
    ("first_rung", "TypeError", 'No synchronous function provided to "answer".'),
    (
        *("second_rung", "RuntimeError"),
        "asyncio.run() cannot be called from a running event loop",
    ),
    ("third_rung", "RuntimeError", "Event loop is closed"),
    ("fourth_rung", "NotImplementedError", NOT_AWAITED),
    ("fourth_rung", "RuntimeError", "… is bound to a different event loop"),
)
IN_OTHER_WORDS = {NOT_AWAITED: "One is for plain code and cannot be awaited."}
ERROR = re.compile(r"^(\w+Error): (.*)$", re.MULTILINE)


def climbed(notebook: Any) -> None:
    """Each rung fails as the prose says, and in the words of a library."""
    prose, code = (
        "\n".join(each.source for each in notebook.cells if each.cell_type == kind)
        for kind in ("markdown", "code")
    )
    assert "a ladder of five errors" in prose
    assert len(RUNGS) == 5
    for name in dict.fromkeys(name for name, _, _ in RUNGS):
        rungs = [(kind, quote) for of, kind, quote in RUNGS if of == name]
        errors = dict.fromkeys(ERROR.findall(printed(notebook, name)))
        for (kind, quote), error in zip(rungs, errors, strict=True):
            assert IN_OTHER_WORDS.get(quote, f"`{quote}`") in prose
            # The node has another name in these cells; `…` stands for an object.
            said = re.escape(quote).replace('"answer"', '"fetch"').replace("…", ".+")
            assert error[0] == kind
            assert re.fullmatch(said, error[1])
            assert error[1] not in code
    assert "was never awaited" in printed(notebook, "second_rung", "stderr")
    assert "the third opens a new one" in prose
    assert "strictly every second request" in prose
    requests = printed(notebook, "third_rung").splitlines()
    assert [line.partition(":")[0] for line in requests] == [
        "answered",
        RUNGS[2][1],
    ] * 3
    assert "in its own loop: 1" in printed(notebook, "fourth_rung")


def printed(notebook: Any, name: str, stream: str = "stdout") -> str:
    """Return what the cell of that name has printed."""
    (of,) = (each for each in notebook.cells if each.id == name)
    return "".join(o.text for o in of.outputs if o.get("name") == stream)
