"""The command `lab`: JupyterLab, opened on the first notebook."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FIRST = Path("ex00_start_here") / "ex00_start_here.ipynb"


def lab(root: Path, no_browser: bool) -> int:
    """Run JupyterLab until it is ended; return its exit status."""
    notebooks = root / "notebooks"
    if not (notebooks / FIRST).is_file():
        print(
            f"expected the first notebook at {notebooks / FIRST}, found none\n"
            "  help: run `make lab` in a clone of the project, or `make build` there",
            file=sys.stderr,
        )
        return 2
    command = [sys.executable, "-m", "jupyter", "lab"]
    command += [f"--ServerApp.root_dir={notebooks}"]
    command += [f"--LabApp.default_url=/lab/tree/{FIRST.as_posix()}"]
    if no_browser:
        command.append("--no-browser")
    if hasattr(os, "getuid") and os.getuid() == 0:
        command.append("--allow-root")
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONSAFEPATH": "1",  # a file beside a notebook never shadows a package
    }
    process = subprocess.Popen(command, env=environment)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # JupyterLab has it too, and asks what to do
            if not sys.stdin.isatty():  # nobody can answer
                process.terminate()
