"""Every notebook is finished by Run All in a browser: as shipped, and solved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from grader import catalog
from grader.sources import read
from tests.browser.page import DONE, NOTEBOOK, Page

REPO = Path(__file__).parents[2]
STEMS = sorted(path.stem for path in REPO.glob("notebooks/*/*.ipynb"))
RUN_ALL = "//div[contains(@class, 'lm-Menu-itemLabel')][.='Run All Cells']"
ERRORS = "[data-mime-type='application/vnd.jupyter.error']"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stem", STEMS)
def test_run_all(page: Page, stem: str) -> None:
    """Run All shows no error with the starter, whose broken claims score nothing;
    with the predictions committed and the solution, it draws, and gives all points"""
    cells = notebook(stem)
    graded = [n for n, cell in enumerate(cells) if cell["source"].startswith("grade(")]
    page.open(stem)
    run_all(page, graded[-1])
    page.shoot(f"{stem}-starter", page.cell(graded[0]))
    assert errors(page) == []
    assert 0.0 in [score(page, each) for each in graded]

    for number, cell in enumerate(cells):
        if cell["source"].startswith("predict("):
            commit(page, page.cell(number))
    submission = [cell["id"] for cell in cells].index("submission")
    page.replace(submission, solution(stem))
    run_all(page, graded[-1])
    page.shoot(f"{stem}-solution", page.cell(graded[0]))
    assert errors(page) == []
    points = [check.points for check in catalog.load(stem).checks.values()]
    assert [score(page, each) for each in graded] == points
    observed = [n for n, c in enumerate(cells) if c["source"].startswith("observe(")]
    for each in observed:
        assert page.cell(each).find_elements(By.CSS_SELECTOR, "figure")
    page.shoot(f"{stem}-observed", page.cell(observed[0]))


def notebook(stem: str) -> list[dict[str, str]]:
    """Return a notebook's cells, each source as one text."""
    text = (REPO / "notebooks" / stem / f"{stem}.ipynb").read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def solution(stem: str) -> str:
    """Return the submission's cell as its source has it."""
    source = read(REPO / "solutions" / stem / f"{stem}.py", stem)
    cell = next(c for c in source["cells"] if c["id"] == "submission")
    return str(cell["source"])


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
