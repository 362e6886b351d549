"""The bundles, each made once by the command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bundle import bundles


@pytest.fixture(scope="session")
def class_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip for a class."""
    out = tmp_path_factory.mktemp("class") / "course.zip"
    bundles.made("class", "-o", out)
    return out


@pytest.fixture
def course(class_zip: Path, tmp_path: Path) -> Path:
    """The bundle for a class, unpacked in an empty folder."""
    return bundles.unpacked(class_zip, tmp_path / "course")


@pytest.fixture(scope="session")
def autograder_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The autograder of one exercise."""
    out = tmp_path_factory.mktemp("gradescope") / "autograder.zip"
    bundles.made("gradescope", bundles.STEM, "-o", out)
    return out


@pytest.fixture(scope="session")
def classroom_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template repository that checks one exercise."""
    out = tmp_path_factory.mktemp("classroom") / "template"
    bundles.made("classroom", bundles.STEM, "-o", out)
    return out


@pytest.fixture
def template(classroom_made: Path, tmp_path: Path) -> Path:
    """A learner's copy of the template repository."""
    return shutil.copytree(classroom_made, tmp_path / "template")
