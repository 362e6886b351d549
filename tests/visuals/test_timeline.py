"""The timeline: what it draws, and that its words say the same."""

from __future__ import annotations

import pytest

from grader.visuals import style
from grader.visuals.shapes import Bar, Mark
from grader.visuals.timeline import draw
from tests.visuals import example_runs as runs
from tests.visuals.drawn import numbers, svg_texts, texts
from tests.visuals.example_runs import EVERY


def test_evidence_is_in_full_ink() -> None:
    """the evidence is drawn in ink, everything else in grey"""
    timeline = draw(runs.HAND_OVER, (15,))
    ink = [t.text for t in texts(timeline) if t.color == style.INK]
    assert ink == [
        "process 1",
        "#10 chat('user-3fa2c1', 'What is my name?')",
        "#15 'I do not know your name. (ref 90aa)'",
    ]
    bars = [s.color for s in timeline.scene.shapes if isinstance(s, Bar)]
    assert bars == [style.GREY, style.PASSED]


def test_without_evidence_all_is_in_full_ink() -> None:
    """with no evidence named, nothing but the foot is grey"""
    grey = [t.text for t in texts(draw(runs.FOUR)) if t.color == style.GREY]
    assert grey == ["order of events, not time →"]


def test_evidence_of_another_run_changes_nothing() -> None:
    """numbers that the run does not have are no evidence"""
    assert draw(runs.HAND_OVER, (900,)).svg == draw(runs.HAND_OVER).svg


def test_rows_and_order() -> None:
    """process 0 is on top, and events stand in order from left to right"""
    timeline = draw(runs.FOUR)
    names = [t for t in texts(timeline) if t.text.startswith("process ")]
    assert sorted(names, key=lambda t: -t.y) == sorted(names, key=lambda t: t.text)
    marks = [s for s in timeline.scene.shapes if isinstance(s, Mark)]
    bars = [s for s in timeline.scene.shapes if isinstance(s, Bar)]
    assert sorted(bars, key=lambda bar: bar.x) == bars
    assert len(marks) == 4 * 2 + 1


def test_a_killed_call_ends_at_the_fault() -> None:
    """the bar of a call that was killed ends where the process was killed"""
    shapes = draw(runs.KILLED).scene.shapes
    killed = next(s for s in shapes if isinstance(s, Mark) and s.shape == "killed")
    bar = next(s for s in shapes if isinstance(s, Bar))
    assert killed.x == pytest.approx(bar.x + bar.width)
    words = [t.text for t in texts(draw(runs.KILLED))]
    assert "#8 killed" in words
    assert "#9 no reply: killed" in words


@pytest.mark.parametrize("name", EVERY)
def test_labels_do_not_overlap(name: str) -> None:
    """no two labels cover each other, and all are inside the picture"""
    from grader.visuals.paint import measured

    measure = measured()
    timeline = draw(*EVERY[name])
    boxes = []
    for text in texts(timeline):
        width, height = measure(text.text, text.size_pt), text.size_pt / 72 * 0.8
        x = text.x - width if text.align == "right" else text.x
        boxes.append((x, text.y, x + width, text.y + height, text.text))
    for n, (x, y, to_x, to_y, text) in enumerate(boxes):
        assert x >= 0, text
        assert to_x <= timeline.scene.width, text
        for other in boxes[n + 1 :]:
            apart = to_x <= other[0] or other[2] <= x
            assert apart or to_y <= other[1] or other[3] <= y, (text, other[4])


@pytest.mark.parametrize("name", EVERY)
def test_words_say_what_the_picture_says(name: str) -> None:
    """every number in the picture, its alternative text or caption is in the table"""
    run, evidence = EVERY[name]
    timeline = draw(run, evidence)
    table = {row.number for row in timeline.rows}
    assert table == {seen.number for seen in run.observations}
    drawn = {n for text in svg_texts(timeline) for n in numbers(text)}
    assert drawn <= table
    assert numbers(timeline.alt) <= drawn | set(evidence)
    assert numbers(timeline.caption) == set(evidence)
    assert set(evidence) <= drawn
    assert set(evidence) <= numbers(timeline.alt)
    assert table <= numbers(timeline.html)
    assert table <= numbers(timeline.text)


def test_alternative_text() -> None:
    """the alternative text says who was told what, and what came back"""
    assert draw(runs.HAND_OVER, (8, 15)).alt == (
        "Timeline of 2 processes: process 0 is told a name; process 1 is asked for it. "
        "Process 0 replies 'Hello Bagil (ref 81c3)' (#8); process 1 replies "
        "'I do not know your name. (ref 90aa)' (#15). In full ink: #8 and #15."
    )


def test_caption_starts_with_the_message() -> None:
    """a message given to the picture is its caption's first sentence"""
    timeline = draw(runs.HAND_OVER, (15,), message="process 1 starts blank")
    assert timeline.caption.startswith("Process 1 starts blank. The evidence, #15,")


def test_long_runs_are_thinned_and_say_so() -> None:
    """a run of a thousand calls is drawn in part, says so, and keeps its evidence"""
    calls = (e for n in range(1000) for e in (runs.call(0, n), runs.reply(0, n, n)))
    timeline = draw(runs.run("much", runs.start(0), *calls), (1001,))
    assert any("events are only in the table" in text for text in svg_texts(timeline))
    assert 1001 in {n for text in svg_texts(timeline) for n in numbers(text)}
    assert len(timeline.rows) == 2001


def test_contrast() -> None:
    """marks have a contrast of 3 to 1 at least, text of 4.5 to 1, on what is behind"""
    marks = (style.PASSED, style.FAILED, style.SKIPPED, style.ERROR, style.GREY)
    assert all(style.contrast(color) >= 3 for color in marks)
    for paper in (style.PAPER, *style.TINTS.values()):
        assert style.contrast(style.INK, paper) >= 4.5
        assert style.contrast(style.SKIPPED, paper) >= 4.5
    # Grey words also stand in the bar of a call whose reply is the evidence.
    for paper in (style.PAPER, *style.TINTS.values()):
        assert style.contrast(style.GREY, paper) >= 4.5
    assert style.contrast("#000000") == pytest.approx(21)
