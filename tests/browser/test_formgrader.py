"""A teacher grades with formgrader's buttons, and a learner validates."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.conftest import serving
from tests.browser.page import CHROMIUM, DRIVER, Page
from tests.nbgrader_cycle.nbgrader_course import REPO, Course, answer, make_course

STEM = "ex00_start_here"
RIGHT = REPO / "tests" / "submissions" / STEM / "right" / "row_per_ticket.py"
FULL = {"counts_on": (6.0, False), "never_twice": (4.0, False)}
NOTHING = {"counts_on": (0.0, False), "never_twice": (0.0, False)}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Two learners have handed in, one of them the starter."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    course = make_course(tmp_path_factory.mktemp("formgrader"), STEM)
    course.nbgrader("generate_assignment", STEM)
    for student in ("ada", "bob"):
        course.hands_in(student)
    answer(course.submitted("ada") / course.release.name, RIGHT.read_text())
    return course


@pytest.fixture(scope="module")
def page(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """Open a browser on JupyterLab in the course's folder."""
    home = tmp_path_factory.mktemp("home")
    command = ["jupyter", "lab", "--no-browser", "--allow-root", "--port-retries=100"]
    with serving(command, course.root, home) as address:
        page = Page(address, home / "profile", home)
        page.driver.get(address)  # the token becomes a cookie
        try:
            yield page
        finally:
            page.close()


def visit(page: Page, path: str) -> None:
    """Open a page of the server."""
    page.driver.get(page.address.partition("/lab")[0] + path)


def press(page: Page, student: str, button: str) -> None:
    """Press a button of a learner's row, and wait for its success."""
    link = f"//tbody/tr[contains(., '{student}')]/td[contains(@class, '{button}')]/a"
    page.until(lambda: page.driver.find_element(By.XPATH, link).click() or True)
    shown = "//*[contains(@class, 'modal-content')][contains(., 'Success')]"
    modal: WebElement = page.until(lambda: page.driver.find_element(By.XPATH, shown))
    page.until(modal.is_displayed)
    page.shoot(f"formgrader-{button}-{student}")
    page.until(lambda: modal.find_element(By.TAG_NAME, "button").click() or True)
    gone = f"{shown}[not(ancestor::*[contains(@style, 'display: none')])]"
    page.until(lambda: not page.driver.find_elements(By.XPATH, gone))


def test_autograde_and_feedback(page: Page, course: Course) -> None:
    """the button writes the trusted scores, and the page shows evidence and picture"""
    visit(page, f"/formgrader/manage_submissions/{STEM}")
    for student in ("ada", "bob"):
        press(page, student, "autograde")
    assert course.scores("ada") == FULL
    assert course.scores("bob") == NOTHING
    for student in ("ada", "bob"):
        press(page, student, "generate-feedback")
    path = course.root / "feedback" / "bob" / STEM / f"{STEM}.html"
    page.driver.get(path.as_uri())
    text = page.driver.find_element(By.TAG_NAME, "body").text
    assert "Score: 0.0 / 10.0" in text
    assert "was handed out twice" in text
    picture = page.driver.find_element(By.CSS_SELECTOR, ".grader-report img")
    assert picture.size["width"] > 400
    page.shoot("formgrader-feedback", picture)


@pytest.mark.parametrize(
    ("student", "words"), [("ada", "Success!"), ("bob", "was handed out twice")]
)
def test_validate(page: Page, course: Course, student: str, words: str) -> None:
    """the button says of the same texts what autograde says"""
    folder = course.root / "homework" / student
    shutil.copytree(course.submitted(student), folder)
    visit(page, f"/lab/tree/homework/{student}/{STEM}.ipynb?reset")
    button = "//jp-button[@aria-label='Validate']"
    page.until(lambda: page.driver.find_element(By.XPATH, button).click() or True)
    said = f"//*[contains(@class, 'jp-Dialog-content')][contains(., '{words}')]"
    dialog = page.until(lambda: page.driver.find_element(By.XPATH, said))
    page.shoot(f"validate-{student}")
    assert dialog.is_displayed()
