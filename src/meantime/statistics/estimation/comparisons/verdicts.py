"""The words of verdicts: the one table of what each means, when it is given, and the colour it is shown in.

Which difference is tested, and how, is in ``contrasts.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meantime.statistics.estimation.selection import Selection
from meantime.survey.questions import Direction, Question


class Verdict(StrEnum):
    """What a comparison found."""

    BETTER = "better"
    WORSE = "worse"
    HIGHER = "higher"
    LOWER = "lower"
    SIMILAR = "similar"
    UNCLEAR = "no clear difference"
    RISING = "rising"
    FALLING = "falling"
    STEADY = "no clear change"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a verdict means, when it is given, and its colour on light and on dark pages.

    Colours are sRGB. Those of one chart can be told apart by the colour-blind, too; what was found has a contrast of
    3 to 1 to the page, what wasn't steps back.
    """

    verdict: Verdict | None
    meaning: str
    when: str
    colour: str
    dark_colour: str


MEANINGS = (
    Meaning(
        Verdict.BETTER,
        "the compared one is at the better end, or changed better than the reference did",
        "the adjusted p is at most 1 - level, and the question's direction is known",
        "#0072b2",
        "#0072b2",
    ),
    Meaning(
        Verdict.WORSE,
        "the compared one is at the worse end, or changed worse than the reference did",
        "the same, on the other side",
        "#d55e00",
        "#d55e00",
    ),
    Meaning(
        Verdict.HIGHER,
        "the compared one is above the reference, or its change is above the reference's",
        "the adjusted p is at most 1 - level, and no end is better, or two questions are compared",
        "#cc4fa8",
        "#cc4fa8",
    ),
    Meaning(
        Verdict.LOWER,
        "the compared one is below the reference, or its change is below the reference's",
        "the same, on the other side",
        "#6f9317",
        "#6f9317",
    ),
    Meaning(
        Verdict.SIMILAR,
        "they differ by less than `margin`",
        "a margin is given and both one-sided tests reject (adjusted p at most 1 - level)",
        "#9a6a4f",
        "#9a6a4f",
    ),
    Meaning(
        Verdict.UNCLEAR,
        "the data don't tell which is higher; they may be alike or not",
        "everything else that was tested",
        "#b8b8b8",
        "#555b62",
    ),
    Meaning(
        Verdict.RISING,
        "the estimates go up",
        "a trend's adjusted p is at most 1 - level; its `verdict` says so where no end is better",
        "#cc4fa8",
        "#cc4fa8",
    ),
    Meaning(Verdict.FALLING, "the estimates go down", "the same, on the other side", "#6f9317", "#6f9317"),
    Meaning(
        Verdict.STEADY,
        "the data don't tell whether they go up or down; they may do neither or both",
        "every other trend",
        "#b8b8b8",
        "#555b62",
    ),
    Meaning(
        None,
        "nothing could be tested",
        "a value or a standard error is unknown, or no year and stratum is common to both sides",
        "#dddddd",
        "#343a41",
    ),
)
"""The vocabulary, in the order in which a reader meets it; ``docs/methods/verdicts.md`` is this table."""


def words_of(direction: Direction | None) -> tuple[Verdict, Verdict]:
    """Return the verdicts for "above" and "below"."""
    if direction is None:
        return Verdict.HIGHER, Verdict.LOWER
    if direction is Direction.LOWER_IS_BETTER:
        return Verdict.WORSE, Verdict.BETTER
    return Verdict.BETTER, Verdict.WORSE


def cautions_of_direction(selection: Selection) -> list[str]:
    """Return a caution where no end of the question's scale is called better, with the reason if there is one."""
    if selection.question.direction is not None:
        return []
    return [f"{why_undirected(selection.question)}; verdicts are higher and lower"]


def why_undirected(question: Question) -> str:
    """Return why no end of a question's scale is called better."""
    return question.undirected_because or "nobody has said which end of this question is better"
