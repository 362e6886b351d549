"""A report is a verdict rendered as text, HTML or JSON."""

from grader.reports.document import to_json
from grader.reports.html import page, to_html
from grader.reports.report import Report
from grader.reports.text import to_text

__all__ = ["Report", "page", "to_html", "to_json", "to_text"]
