"""A container of Gradescope's, as far as an autograder sees of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.bundle.bundles import Run, unpacked

VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
NUMBER, TEXT = {"type": "number"}, {"type": "string"}
# What Gradescope's specification of autograders says of results.json.
RESULTS = {
    "type": "object",
    "properties": {
        "score": NUMBER,
        "execution_time": NUMBER,
        "output": TEXT,
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "score": NUMBER,
                    "max_score": NUMBER,
                    "status": {"enum": ["passed", "failed"]},
                    "name": TEXT,
                    "name_format": FORMAT,
                    "number": TEXT,
                    "output": TEXT,
                    "output_format": FORMAT,
                    "tags": {"type": "array", "items": TEXT},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


class Container:
    """The folder /autograder of a container, in another place."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self.folder = folder
        self.source = unpacked(archive, folder / "source")
        self.submission = folder / "submission"
        for name in ("submission", "results"):
            (folder / name).mkdir()
        # Gradescope copies the program out of the zip, and runs it from above.
        shutil.copy(self.source / "run_autograder", folder)

    def run(self, **environment: str) -> Run:
        """Run the autograder with this interpreter in place of setup.sh's."""
        return subprocess.run(
            ["./run_autograder"],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={
                **os.environ,
                "AUTOGRADER": str(self.folder),
                "GRADER_PYTHON": sys.executable,
                "PYTHONPATH": str(self.submission),  # must not be asked
                **environment,
            },
            check=False,
        )

    def results(self) -> dict[str, Any]:
        """Run the autograder; return its results, which are valid."""
        ran = self.run()
        assert (ran.returncode, ran.stderr) == (0, "")
        return self.read()

    def read(self) -> dict[str, Any]:
        """Return the results that were written."""
        path = self.folder / "results" / "results.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        Draft202012Validator(RESULTS).validate(found)
        return found


def scores(found: dict[str, Any]) -> tuple[float, float]:
    """Return what Gradescope adds up: the score, and the most there could be."""
    tests = found["tests"]
    assert "score" not in found
    return sum(t["score"] for t in tests), sum(t["max_score"] for t in tests)
