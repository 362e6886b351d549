"""Every notebook is finished by Run All in a browser: as shipped, and solved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from grader import catalog
from tests.browser.page import DONE, NOTEBOOK, Page
from tests.exercises.conftest import Judge, judge
from tests.notebooks import reached

REPO = Path(__file__).parents[2]
STEMS = sorted(path.stem for path in REPO.glob("notebooks/*/*.ipynb"))
RUN_ALL = "//div[contains(@class, 'lm-Menu-itemLabel')][.='Run All Cells']"
ERRORS = "[data-mime-type='application/vnd.jupyter.error']"

pytestmark = pytest.mark.slow
__all__ = ["judge"]  # the fixture


@pytest.mark.parametrize("stem", STEMS)
def test_run_all(page: Page, clone: Path, judge: Judge, stem: str) -> None:
    """Run All shows no error with the starter, whose broken claims score nothing;
    with the predictions committed and the solution, it draws, and gives all points"""
    path = clone / "notebooks" / stem / f"{stem}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    graded = [n for n, cell in enumerate(cells) if cell.source.startswith("grade(")]
    page.open(stem)
    run_all(page, graded[-1])
    page.shoot(f"{stem}-starter", page.cell(graded[0]))
    assert errors(page) == []
    reached.as_shipped(saved(page, path, graded[-1]), stem, judge)

    for number, cell in enumerate(cells):
        if cell.source.startswith("predict("):
            commit(page, page.cell(number))
    submission = [cell.id for cell in cells].index("submission")
    page.replace(submission, reached.solution(stem))
    run_all(page, graded[-1])
    page.shoot(f"{stem}-solution", page.cell(graded[0]))
    assert errors(page) == []
    points = [check.points for check in catalog.load(stem).checks.values()]
    assert [score(page, each) for each in graded] == points
    observed = [n for n, c in enumerate(cells) if c.source.startswith("observe(")]
    for each in observed:
        assert page.cell(each).find_elements(By.CSS_SELECTOR, "figure")
    page.shoot(f"{stem}-observed", page.cell(observed[0]))
    notebook = saved(page, path, graded[-1])
    reached.solved(notebook, stem)
    reached.observed(notebook)


def saved(page: Page, path: Path, last: int) -> Any:
    """Save the notebook, and return it as the file has it."""
    count = int(prompt(page, last).strip("[]:"))
    page.press("s", held=Keys.CONTROL)

    def kept() -> Any:
        try:
            notebook = nbformat.read(path, as_version=4)
        except ValueError:  # it is being written
            return None
        return notebook if notebook.cells[last].execution_count == count else None

    return page.until(kept)


def run_all(page: Page, last: int) -> None:
    """Choose Run All Cells in the menu, and wait for the last graded cell."""
    before = prompt(page, last)
    menu = "//div[contains(@class, 'lm-MenuBar-itemLabel')][.='Run']"
    page.until(lambda: page.driver.find_element(By.XPATH, menu).click() or True)
    page.until(lambda: page.driver.find_element(By.XPATH, RUN_ALL).click() or True)
    page.until(lambda: prompt(page, last) != before and DONE.search(prompt(page, last)))


def prompt(page: Page, number: int) -> str:
    """Return what stands before a cell: the order in which it was run."""
    return page.cell(number).find_element(By.CSS_SELECTOR, ".jp-InputPrompt").text


def score(page: Page, number: int) -> float:
    """Return the value of a graded cell as it is shown."""
    result = ".jp-OutputArea-executeResult .jp-OutputArea-output"
    return float(page.cell(number).find_element(By.CSS_SELECTOR, result).text)


def errors(page: Page) -> list[str]:
    """Return the errors that the notebook shows."""
    shown = page.driver.find_elements(By.CSS_SELECTOR, f"{NOTEBOOK} {ERRORS}")
    return [each.text for each in shown]


def commit(page: Page, cell: WebElement) -> None:
    """Choose the first answer of a prediction, and commit to it."""
    page.until(lambda: cell.find_elements(By.CSS_SELECTOR, "input[type=radio]"))
    cell.find_elements(By.CSS_SELECTOR, "input[type=radio]")[0].click()
    cell.find_element(By.CSS_SELECTOR, "button").click()
    page.until(lambda: "You predicted a:" in cell.text)
