"""Fixtures of the tests of the fakes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.model_bench import LIMIT_S, Bench


@pytest.fixture
def bench(caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    """Serve; afterwards nothing is left over and nobody has complained."""
    made = Bench()
    # The server has turned its log off; here it is part of the evidence.
    caplog.set_level("ERROR", "uvicorn.error")
    try:
        yield made
        made.close()
        assert made.others() == []
        assert made.server.broken is None
        assert made.noise == []
        said = [*caplog.get_records("call"), *caplog.records]
        assert not [r for r in said if r.name.startswith(("uvicorn", "asyncio"))]
    finally:
        made.loop.call_soon_threadsafe(made.loop.stop)
        made.thread.join(LIMIT_S)
        made.loop.close()
