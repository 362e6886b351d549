"""The timeline: what it draws, and that its words say the same."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.visuals import style
from grader.visuals.shapes import Bar, Mark, Text
from grader.visuals.timeline import Timeline, draw
from tests.visuals import example_runs as runs
from tests.visuals.example_runs import EVERY

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"#(\d+)")


def texts(timeline: Timeline) -> list[Text]:
    return [shape for shape in timeline.scene.shapes if isinstance(shape, Text)]


def numbers(text: str) -> set[int]:
    return {int(number) for number in NUMBER.findall(text)}


def svg_texts(timeline: Timeline) -> list[str]:
    return [e.text or "" for e in ET.fromstring(timeline.svg).iter(f"{SVG}text")]


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


def test_the_same_run_gives_the_same_picture() -> None:
    """the same run drawn twice is the same bytes"""
    for run, evidence in EVERY.values():
        assert draw(run, evidence).svg == draw(run, evidence).svg


def test_the_users_settings_do_not_matter_and_stay() -> None:
    """the user's matplotlib settings neither change the picture nor are changed"""
    import matplotlib

    plain = draw(runs.HAND_OVER).svg
    with matplotlib.rc_context(
        {"font.size": 30, "svg.fonttype": "path", "savefig.bbox": "tight"}
    ):
        before = dict(matplotlib.rcParams)
        assert draw(runs.HAND_OVER).svg == plain
        assert dict(matplotlib.rcParams) == before


def test_ids_are_unique_on_a_page() -> None:
    """pictures of different runs share no id, and refer to their own only"""
    seen: set[str] = set()
    for run, evidence in EVERY.values():
        svg = draw(run, evidence).svg
        ids = re.findall(r'\bid="([^"]+)"', svg)
        assert len(ids) == len(set(ids))
        assert not seen & set(ids)
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= set(ids)
        assert set(re.findall(r'href="#([^"]+)"', svg)) <= set(ids)
        seen |= set(ids)


def test_html_is_a_figure_for_everyone() -> None:
    """the figure has an image with alternative text, a caption and a table"""
    timeline = draw(runs.HAND_OVER, (8, 15))
    assert 'role="img"' in timeline.html
    assert timeline.html.count(timeline.alt.replace("'", "&#39;")) == 2
    assert "<figcaption" in timeline.html
    assert timeline.html.count('<th scope="row">') == len(timeline.rows)
    bundle = timeline._repr_mimebundle_()
    assert bundle == {"text/plain": timeline.text, "text/html": timeline.html}
    assert repr(timeline) == timeline.text


def test_png() -> None:
    """the picture is also to be had as PNG"""
    assert draw(runs.KILLED).png.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "hostile",
    [
        "$x_1$ \\frac{1}{0} $",
        "<script>alert(1)</script>]]>&amp;",
        "{0} {name} %s \\N{BULLET}",
        "a\x00b\x1b[31mc\x07\ud800\ufffe\u202ed",
        "\n\r\t\u2028 two\nlines",
        'id="figure_1" url(#a) href="#b"',
        "x" * 50_000,
        "名前は太郎です 🙂 שלום",
        "",
    ],
)
def test_hostile_text(hostile: str, capfd: pytest.CaptureFixture[str]) -> None:
    """whatever is said, the picture is valid, one line a label, and silent"""
    timeline = draw(_said(hostile))
    ET.fromstring(timeline.svg)
    assert timeline.png
    assert "<script" not in timeline.svg + timeline.html
    assert len(timeline.alt) < 1_500
    assert all(c.isprintable() for t in texts(timeline) for c in t.text)
    assert len(timeline.text.splitlines()) == 1 + len(timeline.rows)
    assert capfd.readouterr() == ("", "")


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(), max_size=80))
def test_any_text(hostile: str) -> None:
    """no text breaks the picture"""
    ET.fromstring(draw(_said(hostile)).svg)


def test_text_in_the_picture_is_the_text_said() -> None:
    """what looks like an id or a formula reaches the reader unchanged"""
    run = runs.run("x", runs.start(0), runs.call(0, 0, 'id="a" $b$', function="f"))
    assert "#2 f('id=\"a\" $b$')" in svg_texts(draw(run))


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


def test_matplotlib_is_imported_late() -> None:
    """importing the module does not import matplotlib"""
    code = "import sys, grader.visuals.timeline; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pyplot_is_never_imported() -> None:
    """drawing leaves pyplot, and so the notebook's own figures, alone"""
    code = (
        "import sys; from tests.visuals.example_runs import FOUR\n"
        "from grader.visuals.timeline import draw; draw(FOUR).png\n"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _said(hostile: str) -> runs.Run:
    return runs.run(
        hostile,
        runs.start(0),
        runs.call(0, 0, hostile, function=hostile or "f"),
        runs.asks(0, hostile, hostile),
        (0, "fault", {"what": hostile, "event": hostile, "stored": None}),
        runs.no_reply(0, 0, hostile, hostile, function=hostile),
        runs.call(0, 1, {hostile: [hostile]}),
        runs.reply(0, 1, hostile),
        (None, "released", {"event": hostile, "inside": 1, "expected": 1}),
    )
