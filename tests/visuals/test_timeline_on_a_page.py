"""A timeline harms neither the page it stands on nor the notebook that draws it."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.visuals.timeline import draw
from tests.visuals import example_runs as runs
from tests.visuals.drawn import svg_texts, texts
from tests.visuals.example_runs import EVERY


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
