"""A clone with notebooks of its own, JupyterLab in it, and a browser."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.browser.page import CHROMIUM, DRIVER, LIMIT_S, Page

REPO = Path(__file__).parents[2]
ADDRESS = re.compile(rb"http://(?:localhost|127\.0\.0\.1):\d+/lab\S*token=\w+")
SETTINGS = {
    "apputils-extension/notification": '{"fetchNews": "false"}',
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and of the notebooks."""
    folder = tmp_path_factory.mktemp("clone")
    for part in ("grader", "notebooks"):
        ignored = shutil.ignore_patterns("__pycache__", ".progress", ".ipynb_*")
        shutil.copytree(REPO / part, folder / part, ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def address(clone: Path) -> Iterator[str]:
    """Run `python -m grader lab` in a copy; afterwards nothing of it is left."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    command = ["grader", "lab", "--no-browser"]
    with serving(command, clone, clone / "home") as found:
        yield found


@contextlib.contextmanager
def serving(command: list[str], folder: Path, home: Path) -> Iterator[str]:
    """Run a module that serves JupyterLab; afterwards nothing of it is left."""
    for name, text in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    log = home / "lab.log"
    with log.open("wb") as output:
        lab = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=kept
            | {
                "HOME": str(home),
                "JUPYTER_CONFIG_DIR": str(home / "config"),
                "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
                "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
                "PYTHONPATH": str(folder if (folder / "grader").is_dir() else REPO),
            },
        )
    try:
        yield _address(lab, log)
    finally:
        started = _started(home)
        os.killpg(lab.pid, signal.SIGTERM)  # as a terminal that closes does
        _, left = psutil.wait_procs(started, timeout=LIMIT_S)
        for process in left:
            process.kill()
        lab.wait()
        assert not left


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Open a browser."""
    folder = tmp_path_factory.mktemp("browser")
    page = Page(address, folder / "profile", folder)
    try:
        yield page
    finally:
        page.close()


def _address(lab: subprocess.Popen[bytes], log: Path) -> str:
    """Return the address that `lab` prints, with its token."""
    with log.open("rb") as file:
        printed = b""
        while lab.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                lab.wait(0.05)
            printed += file.read()
            found = ADDRESS.search(printed)
            if found:
                return found[0].decode()
    raise AssertionError(log.read_text(errors="replace"))


def _started(home: Path) -> list[psutil.Process]:
    """Return every process that was started with this home, or below it."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("HOME", "").startswith(str(home)):
                found.append(process)
    return found
