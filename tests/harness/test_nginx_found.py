"""Which nginx is used, and what is said where none is."""

from __future__ import annotations

import os

import pytest

from grader.harness import nginx


@pytest.mark.parametrize(
    ("said", "version", "problem"),
    [
        ("nginx version: nginx/1.22.1\n", "1.22.1", ""),
        ("nginx version: openresty/1.21.4.1\n", "1.21.4", ""),
        ("nginx version: nginx/1.18.0 (Ubuntu)", "1.18.0", "expected nginx 1.19.5"),
        ("", "of no known version", "expected nginx 1.19.5 or later"),
    ],
)
def test_versions(said: str, version: str, problem: str) -> None:
    """one that is too old is found, named and not used"""
    found = nginx.judged("/nginx", said)
    assert found.version == version
    assert found.problem.startswith(problem)
    assert bool(found.problem) == bool(problem)


def test_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """where there is none, what to install is said"""
    monkeypatch.setattr(nginx, "PLACES", ())
    monkeypatch.setitem(os.environ, "PATH", "/nowhere")
    assert "nginx-light" in nginx.look.__wrapped__().problem
