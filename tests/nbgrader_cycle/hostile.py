"""What hostile learners hand in: each function makes one submission out of a release.

Each aims at what the test has made itself, and at nothing else of the machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]
ALWAYS_EQUAL = """
class Equal(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__
    def __hash__(self): return 1


def ticket():
    return Equal(1)
"""
PATCHES = """
import ast, builtins, sys
import grader, grader.notebook, grader.session
from IPython import get_ipython

def full(*args, **kwargs): return 6.0
shell = get_ipython()
grader.grade = grader.notebook.grade = builtins.grade = grade = full
builtins.float = full
shell.input_transformers_cleanup.append(lambda lines: ["6.0\\n"])
class Strip(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Call(self, node): return ast.Constant(6.0)
shell.ast_transformers.append(Strip())
shell.events.register("pre_run_cell", lambda info: shell.user_ns.update(grade=full))
shell.display_formatter.formatters["text/plain"].for_type(float, lambda *a: "6.0")
class Finder:
    def find_spec(self, name, path=None, target=None): return None
sys.meta_path.insert(0, Finder())
"""
FORGES = """
import os, sys
from IPython import get_ipython
kernel = get_ipython().kernel
send = kernel.session.send
def forged(stream, kind, content=None, *args, **kwargs):
    if kind in ("execute_result", "display_data") and isinstance(content, dict):
        content["data"] = {"text/plain": "6.0", "text/html": "10 / 10"}
    return send(stream, kind, content, *args, **kwargs)
kernel.session.send = forged
"""
SAYS = """
import json, os, sys
def ticket():
    for line in ({"id": 1, "value": 1}, {"id": 0, "ready": 1}, {"verdict": 1}):
        os.write(1, json.dumps(line).encode() + b"\\n")
        print(json.dumps(line), flush=True)
    return 1
"""
HANGS = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    pass
"""
FLOODS = """
while True:
    print("x" * 100_000, flush=True)
"""
KILLS = """
import os, signal, sys
for pid in ({pid}, os.getppid(), os.getpgid(0)):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError as refused:
        print(refused)
sys.exit(0)
"""
DAEMON = """
import subprocess, sys
subprocess.Popen(
    [sys.executable, "-c", "import signal; signal.pause()", "{mark}"],
    start_new_session=True, stdin=0, stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
"""
WRITES = """
import os, pathlib, sqlite3, sys
try:
    with sqlite3.connect("{root}/gradebook.db") as file:
        file.execute("UPDATE grade SET auto_score = 6.0, manual_score = 6.0")
except Exception as refused:
    print(type(refused))
text = "LEFT_BEHIND = 1\\n"
for folder in (
    "{root}", "{root}/notebooks", "{root}/submitted/zoe", "{state}/ipython/startup",
    "{state}/ipython/profile_default/startup",
):
    for name in ("00-left.py", "sitecustomize.py", "grader.py"):
        try:
            os.makedirs(folder, exist_ok=True)
            pathlib.Path(folder, name).write_text(text)
        except OSError:
            pass
for folder in (*sys.path, *sys.path_hooks, "/", "/usr", "/etc", "/var", "/work"):
    try:
        pathlib.Path(folder, "left.py").write_text(text)
        print("WRITABLE", folder)
    except (OSError, TypeError):
        pass
"""
VICTIM = """
import sys
print("LEFT_BEHIND" in globals() or "LEFT_BEHIND" in vars(sys.modules["__main__"]))
"""
READS = """
import glob, os
for path in ["{root}/secret.txt", "{root}/gradebook.db", "/etc/shadow",
             *glob.glob("{root}/**/*", recursive=True), *glob.glob("./**/*"),
             *glob.glob("/proc/[0-9]*/environ"), *glob.glob("/proc/[0-9]*/root/*")]:
    try:
        print(path, open(path, "rb").read()[:2000])
    except OSError:
        pass
print(dict(os.environ))
"""


@dataclass(frozen=True)
class Target:
    """What the test has made for the attacks to aim at."""

    root: Path
    mark: str
    pid: int
    right: str

    def aimed(self, code: str) -> str:
        """Fill in what is aimed at."""
        for name in ("root", "mark", "pid"):
            code = code.replace("{" + name + "}", str(getattr(self, name)))
        return code.replace("{state}", str(self.root.parent))


def load(path: Path) -> Notebook:
    """Return a notebook, each source as one text."""
    notebook: Notebook = json.loads(path.read_text(encoding="utf-8"))
    for each in notebook["cells"]:
        each["source"] = "".join(each["source"])
    return notebook


def cell(notebook: Notebook, name: str) -> dict[str, Any]:
    """Return a cell of a notebook by its id."""
    found: dict[str, Any] = next(c for c in notebook["cells"] if c["id"] == name)
    return found


def answers(notebook: Notebook, text: str) -> None:
    """Write a learner's text into the submission cell."""
    cell(notebook, "submission")["source"] = f"%%submission\n{text}"


def runs(notebook: Notebook, code: str, at: int = 2) -> None:
    """Add a cell of the learner's own."""
    own = {"cell_type": "code", "id": f"own{at}", "metadata": {}, "outputs": []}
    notebook["cells"].insert(at, {**own, "execution_count": None, "source": code})


def metadata(notebook: Notebook) -> None:
    """Change every field that a notebook has, and forge stored results."""
    forged = {"data": {"text/plain": "6.0"}, "metadata": {}, "execution_count": 1}
    for each in notebook["cells"]:
        about = each["metadata"].get("nbgrader")
        each["metadata"]["tags"] = ["skip-execution", "raises-exception"]
        if about and about["grade"] and each["cell_type"] == "code":
            each["outputs"] = [{"output_type": "execute_result", **forged}]
            about |= {"grade": False, "points": 1000, "locked": False, "task": True}
            about |= {"solution": True, "schema_version": 99, "cell_type": "markdown"}
            about["checksum"] = "0" * 32
    notebook["metadata"] = {"kernelspec": {"name": "bash", "display_name": "x"}}
    notebook["metadata"]["language_info"] = {"name": "R"}


def rearranged(notebook: Notebook) -> None:
    """Move, double, retype, edit and delete graded cells."""
    graded = [c for c in notebook["cells"] if c["source"].startswith("grade(")]
    first, second = graded
    first["source"] = "6.0"
    first["cell_type"] = "markdown"
    notebook["cells"].remove(second)
    notebook["cells"].insert(0, json.loads(json.dumps(first)))
    notebook["cells"].append(json.loads(json.dumps(cell(notebook, "submission"))))


def two(notebook: Notebook) -> None:
    """Leave two submissions that differ."""
    other = json.loads(json.dumps(cell(notebook, "submission")))
    other["source"] += "\n# another\n"
    notebook["cells"].append(other)


def nested(notebook: Notebook) -> str:
    """Return a notebook that nests deeper than any reader goes."""
    return json.dumps(notebook)[:-1] + ', "x": ' + "[" * 200_000 + "]" * 200_000 + "}"


Raw = Callable[[Notebook], bytes]
UNREADABLE: dict[str, tuple[Raw, str]] = {
    "bad_json": (lambda n: json.dumps(n).encode()[:-20], "expected a notebook (JSON"),
    "bad_nested": (lambda n: nested(n).encode(), "RecursionError"),
    "bad_empty": (lambda n: b"", "expected a notebook (JSON"),
    "bad_list": (lambda n: b"[]", "expected a notebook (JSON"),
    "bad_old": (lambda n: b'{"nbformat": 3, "worksheets": []}', "'cells'"),
    "bad_bytes": (lambda n: b"\xff\xfe" + json.dumps(n).encode(), "UTF-8"),
    "bad_line": (lambda n: b'{"cells": "' + b"x" * 50_000_000 + b'"}', "50000013"),
}
