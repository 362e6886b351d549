"""JupyterLab in a real browser, as a learner's eyes and hands have it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import (
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

# Turns a hang into a failure; a cell may start servers, on a crowded machine.
LIMIT_S = 600.0
CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden)"
DONE = re.compile(r"\[\d+\]:")
# What a paste from the clipboard does in the editor, without the clipboard.
PASTE = """
const data = new DataTransfer();
data.setData("text/plain", arguments[1]);
const event = {clipboardData: data, bubbles: true, cancelable: true};
arguments[0].dispatchEvent(new ClipboardEvent("paste", event));
"""


class Page:
    """One browser window with one JupyterLab in it."""

    def __init__(self, address: str, profile: Path, pictures: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for switch in (
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,1000",
            f"--user-data-dir={profile}",
        ):
            options.add_argument(switch)
        service = webdriver.ChromeService(executable_path=DRIVER)
        self.driver = webdriver.Chrome(options, service)
        self.address, self.pictures = address, pictures
        kept = os.environ.get("GRADER_SCREENSHOTS")
        if kept:
            self.pictures = Path(kept)
            self.pictures.mkdir(parents=True, exist_ok=True)

    def open(self, stem: str) -> None:
        """Open a notebook, and wait until its kernel is ready."""
        base, _, token = self.address.partition("/lab")
        token = token.partition("?")[2]
        # Those that were opened before would be drawn again without the reset.
        self.driver.get(f"{base}/lab/tree/{stem}/{stem}.ipynb?{token}&reset")
        ready = f"{NOTEBOOK} .jp-Notebook-ExecutionIndicator[data-status=idle]"
        self.until(
            lambda: (
                self._one(f"{NOTEBOOK} .jp-KernelName").text.startswith("Python")
                and self._one(ready)
                and self._one(".jp-mod-current[role=tab]").text == f"{stem}.ipynb"
            )
        )

    def until(self, seen: Callable[[], Any]) -> Any:
        """Look until `seen()` is true, and return what it returned."""
        wait = WebDriverWait(
            self.driver,
            LIMIT_S,
            ignored_exceptions=[StaleElementReferenceException, WebDriverException],
        )
        return wait.until(lambda _: seen())

    def cell(self, number: int) -> WebElement:
        """Return a cell by its place in the notebook, moved into view."""
        cells = f"{NOTEBOOK} .jp-Notebook .jp-Cell"
        rendered = self.until(  # one by one after the notebook is opened
            lambda: self.driver.find_elements(By.CSS_SELECTOR, cells)[number:]
        )
        found: WebElement = rendered[0]
        self.driver.execute_script("arguments[0].scrollIntoView()", found)
        return found

    def run(self, number: int) -> WebElement:
        """Run a cell, wait for its end, and return what it shows."""
        cell = self.cell(number)
        before = self._prompt(cell)
        editor = cell.find_element(By.CSS_SELECTOR, ".cm-content")
        self.until(lambda: editor.click() or True)
        self.press(Keys.ENTER, held=Keys.CONTROL)
        self.until(
            lambda: self._prompt(cell) != before and DONE.search(self._prompt(cell))
        )
        return cell.find_element(By.CSS_SELECTOR, ".jp-Cell-outputArea")

    def replace(self, number: int, text: str) -> None:
        """Select all of a cell and paste a text over it."""
        editor = self.cell(number).find_element(By.CSS_SELECTOR, ".cm-content")
        editor.click()
        self.press("a", held=Keys.CONTROL)
        self.driver.execute_script(PASTE, editor, text)

    def press(self, *keys: str, held: str = "") -> None:
        """Press keys one after the other, perhaps while another is held."""
        actions = ActionChains(self.driver)
        if held:
            actions = actions.key_down(held)
        for key in keys:
            actions = actions.send_keys(key)
        if held:
            actions = actions.key_up(held)
        actions.perform()

    def shoot(self, name: str, element: WebElement | None = None) -> Path:
        """Take a picture of the window, with an element in its middle."""
        if element is not None:
            self.driver.execute_script(
                "arguments[0].scrollIntoView({block: 'center'})", element
            )
        path = self.pictures / f"{name}.png"
        self.driver.save_screenshot(str(path))
        return path

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()

    def _one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def _prompt(self, cell: WebElement) -> str:
        return cell.find_element(By.CSS_SELECTOR, ".jp-InputPrompt").text
