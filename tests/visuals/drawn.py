"""The words of a timeline that was drawn, and the numbers in them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from grader.visuals.shapes import Text
from grader.visuals.timeline import Timeline

SVG = "{http://www.w3.org/2000/svg}"
NUMBER = re.compile(r"#(\d+)")


def texts(timeline: Timeline) -> list[Text]:
    return [shape for shape in timeline.scene.shapes if isinstance(shape, Text)]


def numbers(text: str) -> set[int]:
    return {int(number) for number in NUMBER.findall(text)}


def svg_texts(timeline: Timeline) -> list[str]:
    return [e.text or "" for e in ET.fromstring(timeline.svg).iter(f"{SVG}text")]
