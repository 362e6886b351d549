"""The stand-in for a model's server keeps its connections, as a model's server does."""

from __future__ import annotations

import http.client

from grader.stand_in import keeps_open


def test_connections_stay_open() -> None:
    """two requests are answered over one connection"""
    client = http.client.HTTPConnection(keeps_open().partition("//")[2], timeout=60)
    for _ in range(2):
        client.request("GET", "/")
        first = client.sock
        response = client.getresponse()
        assert (response.status, response.read()) == (204, b"")
        assert client.sock is first
    client.close()
