"""What somebody on call uses: a load on the real server, and an incident report."""

from grader.oncall.incident import report
from grader.oncall.load import load

__all__ = ["load", "report"]
