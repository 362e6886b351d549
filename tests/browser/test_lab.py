"""A learner opens JupyterLab, predicts, observes, fails, is helped, and succeeds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.page import Page

REPO = Path(__file__).parents[2]
TOUR, EXERCISE = "ex00_start_here", "ex04_memory_saver"
EXPLORED = "ex02_shared_globals"
TABS = 40  # how often Tab is pressed at most before a widget must have the focus

pytestmark = pytest.mark.slow

WRONG = "SqliteSaver.from_conn_string(os.environ['CHECKPOINT_DB'])"
RIGHT = (
    "SqliteSaver(sqlite3.connect(os.environ['CHECKPOINT_DB'], check_same_thread=False))"
)


def number(stem: str, name: str) -> int:
    """Return the place of a cell in a notebook."""
    text = (REPO / "notebooks" / stem / f"{stem}.ipynb").read_text(encoding="utf-8")
    return [cell["id"] for cell in json.loads(text)["cells"]].index(name)


def with_saver(saver: str) -> str:
    """Return the starter of ex04 with another saver, as the submission's cell."""
    text = (REPO / "notebooks" / EXERCISE / "starter.py").read_text(encoding="utf-8")
    _, _, starter = text.partition("\n")
    imports = "import os\nimport sqlite3\n"
    saving = "from langgraph.checkpoint.sqlite import SqliteSaver"
    old = "from langgraph.checkpoint.memory import MemorySaver"
    assert old in starter
    changed = starter.replace(old, saving).replace("MemorySaver()", saver)
    return f"%%submission\n{imports}{changed}"


def test_predict_by_keyboard(page: Page) -> None:
    """the prediction can be made and committed without a mouse"""
    page.open(TOUR)
    page.run(number(TOUR, "setup"))
    shown = page.run(number(TOUR, "prediction"))
    page.until(lambda: shown.find_elements(By.CSS_SELECTOR, "input[type=radio]"))
    page.press(Keys.ESCAPE)
    for _ in range(TABS):
        focused = page.driver.switch_to.active_element
        if focused.get_attribute("type") == "radio":
            break
        page.press(Keys.TAB)
    page.press(Keys.SPACE, Keys.TAB, Keys.SPACE, Keys.TAB, Keys.TAB)
    page.shoot("1-keyboard", shown)
    assert page.driver.switch_to.active_element.text == "Commit"
    page.press(Keys.SPACE)
    page.until(lambda: "You predicted b: 1, 1, 2, 2" in shown.text)
    page.shoot("2-keyboard-committed", shown)


def test_predict_observe_fix_check(page: Page) -> None:
    """from the first cell to ten points, with a wrong fix on the way"""
    page.open(EXERCISE)
    page.shoot("3-opened")
    page.run(number(EXERCISE, "setup"))
    observation = number(EXERCISE, "observation")
    shown = page.run(observation)
    assert "locked until you commit a prediction" in shown.text
    page.shoot("4-locked", shown)

    shown = page.run(number(EXERCISE, "prediction"))
    page.until(lambda: shown.find_elements(By.CSS_SELECTOR, "input[type=radio]"))
    page.shoot("5-predict", shown)
    shown.find_elements(By.CSS_SELECTOR, "input[type=radio]")[0].click()
    shown.find_element(By.CSS_SELECTOR, "button").click()
    page.until(lambda: "You predicted a: Your name is Ada" in shown.text)
    page.shoot("6-predicted", shown)

    shown = page.run(observation)
    picture = shown.find_element(By.CSS_SELECTOR, "figure svg, figure img")
    page.shoot("7-observed", shown)
    assert picture.is_displayed()
    assert picture.size["width"] > 400
    assert "process 1" in shown.text

    submission, checking = number(EXERCISE, "submission"), number(EXERCISE, "checking")
    page.run(submission)
    shown = page.run(checking)
    page.shoot("8-starter-fails", shown)
    assert "✗" in shown.text
    assert "as if the conversation had just begun" in shown.text
    assert shown.find_element(By.CSS_SELECTOR, "svg, img").is_displayed()

    page.replace(submission, with_saver(WRONG))
    shown = page.run(submission)
    page.shoot("9-wrong-fix", shown)
    assert "TypeError" in shown.text
    shown = page.run(checking)
    page.shoot("9-wrong-fix-fails", shown)
    assert "✗" in shown.text
    assert "10 / 10" not in shown.text

    shown = page.run(number(EXERCISE, "hint"))
    page.shoot("10-hint", shown)
    assert "MemorySaver" in shown.text

    page.replace(submission, with_saver(RIGHT))
    page.run(submission)
    shown = page.run(checking)
    page.shoot("11-passed", shown)
    assert "10 / 10" in shown.text
    assert "✗" not in shown.text


def test_progress_in_the_tour(page: Page) -> None:
    """the tour knows what was done in the exercise, certifies it, and leads there"""
    page.open(TOUR)
    page.run(number(TOUR, "setup"))
    shown = page.run(number(TOUR, "map"))
    page.shoot("12-progress", shown)
    row = next(
        row
        for row in shown.find_elements(By.CSS_SELECTOR, "tr")
        if "Memory" in row.text
    )
    assert "10" in row.text
    link = row.find_element(By.CSS_SELECTOR, "a")
    place = number(TOUR, "certificate")
    page.replace(place, 'certificate("Ada Lovelace")')
    shown = page.run(place)
    page.shoot("13-certified", shown)
    assert "Ada Lovelace has proved 1 of" in shown.text
    link.click()
    page.until(lambda: EXERCISE in page.driver.current_url)
    page.shoot("14-followed")


def test_step_through_a_run(page: Page) -> None:
    """the explorer goes forward and back, by its buttons and by its slider's keys"""
    page.open(EXPLORED)
    page.run(number(EXPLORED, "setup"))
    shown = page.run(number(EXPLORED, "prediction"))
    page.until(lambda: shown.find_elements(By.CSS_SELECTOR, "input[type=radio]"))
    shown.find_elements(By.CSS_SELECTOR, "input[type=radio]")[0].click()
    shown.find_element(By.CSS_SELECTOR, "button").click()
    page.until(lambda: "You predicted a:" in shown.text)

    shown = page.run(number(EXPLORED, "explorer"))
    first = page.until(lambda: re.search(r"Step 1 of (\d+)", shown.text))
    last = int(first[1])
    back, forward = shown.find_elements(By.CSS_SELECTOR, "button")
    assert not back.is_enabled()
    for at in range(2, last + 1):
        forward.click()
        page.until(lambda at=at: f"Step {at} of {last}" in shown.text)
    page.shoot("15-last-step", shown)
    assert not forward.is_enabled()
    assert "✗" in shown.text  # the starter has mixed them by then
    back.click()
    page.until(lambda: f"Step {last - 1} of {last}" in shown.text)
    shown.find_element(By.CSS_SELECTOR, ".noUi-handle").send_keys(Keys.HOME)
    page.until(lambda: f"Step 1 of {last}" in shown.text)
    page.shoot("16-first-step", shown)
    assert "✗" not in shown.text
