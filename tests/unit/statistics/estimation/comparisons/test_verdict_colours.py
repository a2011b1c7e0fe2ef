"""The colours of verdicts can be told apart, by the colour-blind too, on the pages' light and dark grounds.

How a colour is seen: G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, A physiologically-based model for simulation
of color vision deficiency, IEEE Transactions on Visualization and Computer Graphics 15(6), 2009, the matrices of
severity 1.0 on linear RGB. Distances are Euclidean in CIE L*a*b* (1976, white D65), contrast is that of WCAG 2.2, whose
criterion 1.4.11 asks for 3 to 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import combinations

import pytest

from meantime.statistics.estimation.comparisons.verdicts import MEANINGS, Verdict
from tests.conftest import PROJECT

Numbers = tuple[float, float, float]

VISIONS: dict[str, tuple[Numbers, Numbers, Numbers]] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}

CHARTS: tuple[tuple[Verdict | None, ...], ...] = (
    (Verdict.BETTER, Verdict.WORSE, Verdict.SIMILAR, Verdict.UNCLEAR, None),
    (Verdict.HIGHER, Verdict.LOWER, Verdict.SIMILAR, Verdict.UNCLEAR, None),
    (Verdict.RISING, Verdict.FALLING, Verdict.STEADY, None),
    (Verdict.BETTER, Verdict.WORSE, Verdict.STEADY, None),
)
"""What one chart may show side by side."""

UNDECIDED = (Verdict.UNCLEAR, Verdict.STEADY, None)
"""These step back, so that what was found stands out; they are told apart by lightness alone."""

GROUNDS = ("light", "dark")


def colours(ground: str) -> dict[Verdict | None, str]:
    return {each.verdict: each.colour if ground == "light" else each.dark_colour for each in MEANINGS}


def grounds(ground: str) -> list[str]:
    """Return the colours of the pages' paper and cards."""
    style = (PROJECT / "src" / "meantime" / "web" / "static" / "meantime.css").read_text(encoding="utf-8")
    light, dark = style.split("prefers-color-scheme: dark")[:2]
    return re.findall(r"--(?:paper|card): (#[0-9a-f]{6})", light if ground == "light" else dark)


def linear(colour: str) -> list[float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def product(row: Iterable[float], column: Iterable[float]) -> float:
    return sum(a * b for a, b in zip(row, column, strict=True))


def luminance(colour: str) -> float:
    return product((0.2126, 0.7152, 0.0722), linear(colour))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def lab(colour: str, vision: str) -> Numbers:
    seen = [min(1.0, max(0.0, product(row, linear(colour)))) for row in VISIONS[vision]]
    x = product((0.4124564, 0.3575761, 0.1804375), seen) / 0.95047
    y = product((0.2126729, 0.7151522, 0.0721750), seen)
    z = product((0.0193339, 0.1191920, 0.9503041), seen) / 1.08883
    fx, fy, fz = (part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116 for part in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def distance(one: str, other: str, vision: str) -> float:
    return math.dist(lab(one, vision), lab(other, vision))


def test_the_measures_are_those_of_their_sources() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert lab("#ffffff", "normal") == pytest.approx((100, 0, 0), abs=0.02)
    assert lab("#ff0000", "normal") == pytest.approx((53.24, 80.09, 67.20), abs=0.02)
    assert distance("#ff0000", "#00ff00", "deuteranopia") < distance("#ff0000", "#00ff00", "normal") / 2
    assert [len(grounds(ground)) for ground in GROUNDS] == [2, 2]


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("ground", GROUNDS)
def test_verdicts_of_one_chart_can_be_told_apart(ground: str, vision: str) -> None:
    colour = colours(ground)
    for chart in CHARTS:
        for one, other in combinations(chart, 2):
            least = 12 if one in UNDECIDED and other in UNDECIDED else 20
            assert distance(colour[one], colour[other], vision) >= least, (one, other)


@pytest.mark.parametrize("ground", GROUNDS)
def test_what_was_found_stands_out_from_the_page_and_what_was_not_can_be_seen(ground: str) -> None:
    for verdict, colour in colours(ground).items():
        for behind in grounds(ground):
            if verdict not in UNDECIDED:
                assert contrast(colour, behind) >= 3, (verdict, behind)
            for vision in VISIONS:
                assert distance(colour, behind, vision) >= 10, (verdict, behind, vision)


def test_every_verdict_is_in_a_chart_and_a_verdict_on_both_grounds_keeps_its_hue() -> None:
    assert {verdict for chart in CHARTS for verdict in chart} == {*Verdict, None}
    light, dark = (colours(ground) for ground in GROUNDS)
    assert [verdict for verdict in light if light[verdict] != dark[verdict]] == list(UNDECIDED)
