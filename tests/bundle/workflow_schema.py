"""What GitHub and GitHub Classroom ask of a workflow, as far as ours goes."""

from __future__ import annotations

from typing import Any

PINNED = r"^[\w-]+/[\w-]+@[0-9a-f]{40}$"
STEP: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "uses": {"type": "string", "pattern": PINNED},
        "with": {"type": "object"},
        "run": {"type": "string"},
    },
    "additionalProperties": False,
    "oneOf": [{"required": ["uses"]}, {"required": ["run", "name"]}],
}
# What GitHub asks of a workflow, as far as this one goes, and GitHub Classroom's
# own demands: the name, and one job with its name.
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"const": "Autograding Tests"},
        "on": {"type": "array", "contains": {"const": "push"}},
        "permissions": {"const": {"contents": "read"}},
        "concurrency": {"type": "object", "required": ["group"]},
        "jobs": {
            "type": "object",
            "properties": {
                "run-autograding-tests": {
                    "type": "object",
                    "properties": {
                        "runs-on": {
                            "type": "string",
                            "pattern": r"^ubuntu-\d\d\.\d\d$",
                        },
                        "timeout-minutes": {"type": "integer"},
                        "if": {"const": "github.actor != 'github-classroom[bot]'"},
                        "steps": {"type": "array", "items": STEP},
                    },
                    "required": ["runs-on", "timeout-minutes", "if", "steps"],
                    "additionalProperties": False,
                }
            },
            "minProperties": 1,
            "additionalProperties": False,
        },
    },
    "required": ["name", "on", "permissions", "jobs"],
    "additionalProperties": False,
}
