"""Runs a submission's cell in the kernel too, as the module that the processes see."""

from __future__ import annotations

import importlib
import linecache
import os
import sys
import tempfile
from collections.abc import Collection, Mapping
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType, TracebackType
from typing import Any

from grader.vocabulary.modules import WHOLE, Indivisible, Module, divide

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
    """Run `text` as the module it is, or its modules, and give it to the notebook.

    The names of the module that the contract is about become the notebook's. What it
    raises is shown with the learner's own lines only, and goes no further: the cells
    below can still be run.
    """
    try:
        modules = {module.name: module for module in divide(text)}
    except Indivisible as why:
        linecache.cache[FILE] = len(text), None, text.splitlines(keepends=True), FILE
        line = text.splitlines()[why.line - 1]
        try:
            raise SyntaxError(f"{why}; {why.help}", (FILE, why.line, 1, line)) from None
        except SyntaxError:
            shell.showsyntaxerror(FILE)
        return
    entry = next(iter(modules))
    files = {name: FILE if name == WHOLE else modules[name].file for name in modules}
    for name, module in modules.items():
        lines = module.text.splitlines(keepends=True)
        linecache.cache[files[name]] = len(module.text), None, lines, files[name]
    own = _Own({files[name]: modules[name] for name in modules})
    own.replace_the_last()
    try:
        found = importlib.import_module(entry)
    except KeyboardInterrupt:
        raise
    except SyntaxError as raised:
        if raised.filename in files.values():
            shell.showsyntaxerror(raised.filename)
        else:  # one that the code raises itself
            trace = _own(raised.__traceback__, files.values())
            shell.showtraceback((type(raised), raised, trace))
        return
    except BaseException as raised:  # SystemExit would end the kernel's cell silently
        trace = _own(raised.__traceback__, files.values())
        shell.showtraceback((type(raised), raised, trace))
        return
    names = {k: v for k, v in vars(found).items() if not k.startswith("__")}
    shell.user_ns.update(names)


class _Own(MetaPathFinder, InspectLoader):
    """Finds and loads the modules of one submission, by the names of their files."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self._modules = {
            module.name: (file, module) for file, module in modules.items()
        }

    def replace_the_last(self) -> None:
        """Be asked first from now on; what was imported before is imported anew."""
        for other in [each for each in sys.meta_path if isinstance(each, _Own)]:
            sys.meta_path.remove(other)
            for name in other._modules:
                sys.modules.pop(name, None)
        for name in self._modules:
            sys.modules.pop(name, None)
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        """Return how to load one of the modules."""
        if name not in self._modules:
            return None
        return ModuleSpec(name, self, origin=self._modules[name][0])

    def get_source(self, name: str) -> str:
        """Return a module's text."""
        return self._modules[name][1].text

    def is_package(self, name: str) -> bool:
        """No module of a submission is a package."""
        return False

    def get_code(self, name: str) -> CodeType:
        """Return a module's code, whose lines are the cell's."""
        file, module = self._modules[name]
        return compile(module.text, file, "exec")

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code."""
        module.__file__ = self._modules[module.__name__][0]
        exec(self.get_code(module.__name__), module.__dict__)


def _own(trace: TracebackType | None, files: Collection[str]) -> TracebackType | None:
    """Return a traceback from the first to the last line of the submission.

    What imports its modules, in between, is left out as well.
    """
    own: list[TracebackType] = []
    step = trace
    while step is not None:
        if step.tb_frame.f_code.co_filename in files:
            own.append(step)
        step = step.tb_next
    for one, following in zip(own, [*own[1:], None], strict=True):
        one.tb_next = following
    return own[0] if own else trace
