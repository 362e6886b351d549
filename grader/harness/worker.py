"""The untrusted side: imports a submission and answers calls with JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

TYPES = {"str": str, "int": int, "float": float, "dict": dict, "list": list}


class Worker:
    """Speaks the protocol over one channel: a JSON object a line, both ways.

    Out: {"kind": "ready"} or {"kind": "broken", …}, then a reply for each call.
    In: {"id", "function", "args", "beside"}, or {"id", "again"} with the id of an
    earlier call; the end of the channel means stop.
    """

    def __init__(
        self,
        reader: BinaryIO,
        writer: BinaryIO,
        path: str,
        functions: Sequence[Mapping[str, Any]],
        limit_b: int,
    ) -> None:
        self.reader, self.writer, self.path = reader, writer, path
        self.functions = {f["name"]: f for f in functions}
        self.limit_b = limit_b
        self.lock = threading.Lock()
        self.shown: dict[int, tuple[Any, Any, str]] = {}  # args, value, type, by call
        self.siblings: list[str] = []  # the files of a submission of several modules

    def run(self, folder: str, application: str = "", address: str = "") -> None:
        """Import the submission from `folder`, then answer until asked to stop.

        It answers calls, or HTTP requests if it has an `application`.
        """
        try:
            sys.path.insert(0, folder)
            files = sorted(file.name for file in Path(folder).glob("*.py"))
            self.siblings = files if len(files) > 1 else []
            module = importlib.import_module(Path(self.path).stem)
            problem = self._breach(module)
            if application:
                from grader.harness import serving  # only servers need uvicorn

                problem = serving.breach(module, application)
        except BaseException as raised:  # SystemExit at import is a finding too
            self._send({"kind": "broken", **self._error(raised)})
            return
        if problem:
            self._send({"kind": "broken", "error": "contract", "message": problem})
            return
        if application:
            api = getattr(module, application)
            serving.serve(api, address, self.reader, self._send, self._error)
        self._send({"kind": "ready"})
        for line in self.reader:
            order = json.loads(line)
            if order.get("stop"):
                return
            if "again" in order:
                self._show_again(order)
            elif order["beside"]:
                threading.Thread(target=self._answer, args=(module, order)).start()
            else:
                self._answer(module, order)

    def _breach(self, module: Any) -> str:
        for name, expected in self.functions.items():
            signature = f"{name}({', '.join(expected['parameters'])})"
            found = getattr(module, name, None)
            if found is None:
                near = _near(name, vars(module))
                return f"expected a function {signature}, found {near or 'none'}"
            if not callable(found):
                kind = type(found).__name__
                return f"expected a function {signature}, found {name!r} of type {kind}"
            if asyncio.iscoroutinefunction(found):
                return (
                    f"expected a plain function {signature}, found async def {name}: "
                    "nobody awaits what it returns"
                )
            try:
                parameters = inspect.signature(found)
                parameters.bind(*expected["parameters"])
            except TypeError:
                return f"expected {signature}, found {name}{parameters}"
            except ValueError:
                continue  # a callable without a readable signature: let the call tell
        return ""

    def _answer(self, module: Any, order: Mapping[str, Any]) -> None:
        head = {"kind": "reply", "id": order["id"]}
        expected = self.functions[order["function"]]
        try:
            value = getattr(module, order["function"])(*order["args"])
            self.shown[order["id"]] = order["args"], value, expected["returns"]
            self._send({**head, **self._result(value, expected["returns"])})
        except BaseException as raised:  # whatever a submission raises is its reply
            self._send({**head, **self._error(raised)})

    def _show_again(self, order: Mapping[str, Any]) -> None:
        head = {"kind": "reply", "id": order["id"]}
        if order["again"] not in self.shown:
            self._send({**head, "error": "not_run", "message": "it returned nothing"})
            return
        args, value, returns = self.shown[order["again"]]
        given = self._result(args, "list").get("value")
        self._send({**head, **self._result(value, returns), "args": given})

    def _result(self, value: Any, returns: str) -> dict[str, Any]:
        wanted = TYPES.get(returns)
        found = type(value).__name__
        if wanted is not None and not isinstance(value, wanted):
            hint = " (a forgotten return?)" if value is None else ""
            message = f"{found}{hint}, expected {returns}"
            return {"error": "wrong_type", "message": message}
        try:
            text = json.dumps(value, allow_nan=False)
        except Exception as problem:  # a __str__ or __iter__ of theirs may raise
            message = f"{found}, which is not JSON: {_text(problem)}"
            return {"error": "not_json", "message": message}
        if len(text) > self.limit_b // 2:
            message = f"{len(text)} characters of JSON, expected at most "
            return {"error": "not_json", "message": f"{message}{self.limit_b // 2}"}
        return {"value": value}

    def _error(self, raised: BaseException) -> dict[str, Any]:
        frames = traceback.extract_tb(raised.__traceback__)
        places = [(frame.filename, frame.lineno) for frame in frames]
        if isinstance(raised, SyntaxError):
            places.append((str(raised.filename), raised.lineno))
        folder = os.path.dirname(self.path)
        own = [place for place in places if os.path.dirname(place[0]) == folder]
        file, line = own[-1] if own else ("", None)
        message = _text(raised).replace(f"{folder}{os.sep}", "")
        if isinstance(raised, ModuleNotFoundError) and self.siblings:
            message += f"; the submission's own are {', '.join(self.siblings)}"
        seen = {"error": type(raised).__name__[:100], "message": message, "line": line}
        return {**seen, "file": os.path.basename(file)} if self.siblings else seen

    def _send(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        with self.lock:
            self.writer.write(line)
            self.writer.flush()


def _near(name: str, names: Mapping[str, Any]) -> str:
    import difflib

    folded = {found.lower(): found for found in names if not found.startswith("_")}
    close = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.7)
    return folded[close[0]] if close else ""


def _text(raised: BaseException) -> str:
    try:
        if isinstance(raised, SyntaxError):  # its str adds the file and line again
            return str(raised.msg)[:2000]
        return str(raised)[:2000]
    except Exception:  # their __str__ may raise as well
        return "(its message cannot be shown)"


def quiet(function: Callable[[], None]) -> None:
    """Run the protocol; a supervisor that has gone away is a reason to end."""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        function()
