"""Colours, sizes and fonts of every picture, set once.

Colours are always joined by a shape and a word. The three of a status come from
the palette of Okabe and Ito, which people with a colour vision deficiency can tell
apart; contrast on white: 5.2, 3.9 and 7.0 to 1.
"""

from __future__ import annotations

PASSED = "#0072B2"
FAILED = "#D55E00"
SKIPPED = "#595959"
ERROR = "#7B3F98"
INK = "#222222"
GREY = "#686868"  # what is no evidence: still 5.6 to 1, so that it can be read
FAINT = "#D0D0D0"  # guide lines only, never the only carrier of a fact
PAPER = "#FFFFFF"
TINTS = {
    PASSED: "#E1F0F8",
    FAILED: "#FCEBDD",
    SKIPPED: "#F6F6F6",
    ERROR: "#F1E8F5",
    GREY: "#F6F6F6",
}

WIDTH_IN = 7.0
WIDEST_IN = 14.0
HEIGHT_IN = 2.5
TEXT_PT = 11.0
SMALL_PT = 9.5
FONTS = ("DejaVu Sans", "Verdana", "Segoe UI", "Helvetica", "Arial", "sans-serif")
PNG_DPI = 144

# matplotlib's settings for the time of one drawing; the user's own are left alone.
SETTINGS: dict[str, object] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "svg.fonttype": "none",  # text stays text: small, searchable, any script
    "svg.hashsalt": "timeline",  # the same picture has the same bytes
    "text.parse_math": False,  # a reply may hold a dollar sign
    "text.usetex": False,
}


def contrast(one: str, other: str = PAPER) -> float:
    """Return the contrast of two colours such as "#0072B2", from 1 to 21.

    Source: WCAG 2.2, "contrast ratio" and "relative luminance".
    """
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
