"""A certificate as a page that can be printed, with its data inside."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from grader.certifying.document import END, START, Certificate
from grader.reports import words

if TYPE_CHECKING:
    import jinja2

HERE = Path(__file__).parent
TEMPLATE, SHEET = "certificate.html.jinja", "certificate.css"
# What could end the element that holds the data, or start another one.
MARKUP = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def page(made: Certificate) -> str:
    """Return a certificate as one document of HTML that needs nothing else."""
    data = json.dumps(made.to_json(), ensure_ascii=True, indent=1)
    for sign, escaped in MARKUP.items():
        data = data.replace(sign, escaped)
    css = (HERE / SHEET).read_text(encoding="utf-8")
    template = _environment().get_template(TEMPLATE)
    return template.render(made=made, css=css, start=START, data=data, end=END)


def form() -> str:
    """Return a digest of all that a page is made of, but for its data."""
    sha = hashlib.sha256()
    for name in (TEMPLATE, SHEET):
        sha.update((HERE / name).read_bytes())
    return sha.hexdigest()


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["plain"] = words.printable
    environment.filters["number"] = words.number
    return environment
