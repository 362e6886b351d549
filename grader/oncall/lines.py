"""What the server logs: a line of JSON with the run, the process and the exception."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import parse_qs

CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "grader.oncall.lines.Lines"}},
    "handlers": {
        "out": {
            "class": "logging.StreamHandler",
            "formatter": "lines",
            "stream": "ext://sys.stdout",
        }
    },
    "loggers": {
        name: {"handlers": ["out"], "level": "INFO", "propagate": False}
        for name in ("uvicorn", "uvicorn.access")
    },
}


class Lines(logging.Formatter):
    """Formats uvicorn's records; it runs in the server's processes."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; a request's run is the parameter of that name."""
        line: dict[str, Any] = {"process": record.process}
        if record.name == "uvicorn.access" and isinstance(record.args, tuple):
            _, method, path, _, status = record.args
            query = str(path).partition("?")[2]
            line |= {"run": _run(query), "request": f"{method} {path}"}
            line["status"] = status
        else:
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            raised = record.exc_info[1]
            line |= {"error": type(raised).__name__, "why": str(raised)[:200]}
            line["run"] = _run_of(raised)
        return json.dumps(line)


def _run(query: str) -> str:
    return parse_qs(query).get("run", [""])[0]


def _run_of(raised: BaseException) -> str:
    """Return the run of the request that raised: uvicorn's own frame knows it."""
    trace = raised.__traceback__
    cycle = trace.tb_frame.f_locals.get("self") if trace is not None else None
    scope = getattr(cycle, "scope", {})
    return _run(bytes(scope.get("query_string", b"")).decode("latin-1"))
