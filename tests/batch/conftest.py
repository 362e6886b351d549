"""A nursery for each test that grades with the small judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batch.classroom import Nursery


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    """Where the command is started with a judge that needs no harness."""
    folder = tmp_path / "nursery"
    folder.mkdir()
    made = Nursery(folder)
    yield made
    made.close()
