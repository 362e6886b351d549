"""A verdict as a JSON document, of the schema in `grader/verdict.schema.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grader.vocabulary import Verdict

SCHEMA = Path(__file__).parent.parent / "verdict.schema.json"


def to_json(verdict: Verdict) -> str:
    """Return a verdict as an indented JSON document.

    Everything beyond ASCII is escaped, so that what a submission raised, half a
    surrogate pair for one, can be written to any file.
    """
    return json.dumps(verdict.to_json(), indent=2, ensure_ascii=True)


def schema() -> dict[str, Any]:
    """Return the JSON Schema that every verdict's document keeps to."""
    return dict(json.loads(SCHEMA.read_text(encoding="utf-8")))
