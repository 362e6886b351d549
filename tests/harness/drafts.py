"""A model that drafts and polishes, who asks it at once, and who only counts."""

from __future__ import annotations

from grader.vocabulary import (
    Run,
    model,
    process,
)

SAYS = (
    model.says("draft", "[draft]", "{answer} (draft {ref})"),
    model.says("polish", "[polish]", "{prompt} (polished {ref})"),
)
COUNTS = """
count = 0
def chat(thread_id, text):
    global count
    count += 1
    return f"{text} {count}"
"""
RUSH = tuple(process(n).calls("chat", f"{{thread_{n}}}", "[draft]") for n in range(4))


def errors(run: Run) -> list[str | None]:
    return [reply.data.get("error") for reply in run.replies]
