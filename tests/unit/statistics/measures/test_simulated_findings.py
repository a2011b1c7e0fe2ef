"""How often verdicts are false where many are given, in simulated surveys of a truth that is known.

Surveys are drawn about estimates made of published ones, each with its published error. The figures are those of the
pages.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pytest

from meantime.statistics.result import Record
from tests.asking import records_in
from tests.conftest import PROJECT
from tests.cubes import cube_of
from tests.simulated_surveys import STATES, Survey, Truth, published, rows_of
from tests.tables import OBESITY

SURVEYS = 500
MARGIN = 3.0
CENTRE = 33.0


class Case(NamedTuple):
    """What is asked, the page that has the figures, and how far from the nation some states are, and the others."""

    page: str
    statistic: str
    asked: dict[str, object]
    apart: tuple[str, ...]
    distance: float
    otherwise: float = 0.0

    def truth(self, apart: tuple[str, ...]) -> Truth:
        """Return a truth in which these states are ``distance`` away, with CDC's errors."""
        away = dict.fromkeys(STATES, self.otherwise) | dict.fromkeys(apart, self.distance)
        errors = published((2022,), ("Total",))
        return {place: (CENTRE + away.get(place[0], 0.0), error) for place, (_, error) in errors.items()}


A_THIRD = STATES[::3]
FIVE = STATES[::5]
"""Apart from the other 19 of 24: 95 of 276 pairs differ."""
CASES = {
    "the nation": Case("difference", "difference", {}, A_THIRD, 2.0),
    "another state": Case("difference", "difference", {"against": STATES[1]}, A_THIRD, 2.0),
    "all pairs": Case("pairwise", "pairwise", {"include": ["states"]}, FIVE, 2.0),
    "`similar`": Case("verdicts", "difference", {"margin": MARGIN}, A_THIRD, 0.0, otherwise=MARGIN),
}


class Findings(NamedTuple):
    """Which share of untrue findings is made, how often any is, their share of all, and which true ones are made."""

    untrue_made: float
    any_false: float
    false_share: float
    true_made: float


def findings(name: str, asked: Mapping[str, object], truth: Truth) -> Findings:
    """Ask of many surveys, and count what is found: ``similar`` where there is a margin, else a difference."""

    def answer(deviates: Mapping[tuple[str, int, str], float]) -> list[Record]:
        rows = rows_of(truth, deviates, Survey())
        return records_in(name, cube_of(rows), {"question": OBESITY, "scale": "linear", **asked})

    chance, counted = np.random.default_rng(20260103), []
    margin = asked.get("margin")
    distance = np.array([abs(float(str(own["difference"]))) for own in answer(dict.fromkeys(truth, 0.0))])
    is_true = distance > 1e-9 if margin is None else distance < MARGIN - 1e-9
    words = {"better", "worse"} if margin is None else {"similar"}
    for _ in range(SURVEYS):
        drawn = answer(dict(zip(truth, chance.standard_normal(len(truth)).tolist(), strict=True)))
        found = np.array([own["verdict"] in words for own in drawn])
        counted.append(((found & ~is_true).sum(), (found & is_true).sum()))
    false, right = np.array(counted, dtype=np.float64).T
    return Findings(
        untrue_made=float(false.mean() / (~is_true).sum()),
        any_false=float((false > 0).mean()),
        false_share=float((false / np.maximum(1, false + right)).mean()),
        true_made=float(right.mean() / max(1, is_true.sum())),
    )


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_findings_are_false_as_rarely_as_the_adjustment_promises(case: str) -> None:
    page, name, asked, apart, *_ = CASES[case]
    truths = [CASES[case].truth(states) for states in ((), apart)]
    found = {
        adjust: [findings(name, {**asked, "adjust": adjust}, truth) for truth in truths]
        for adjust in ("none", "bh", "holm")
    }
    by_chance = 0.05 + 2 * math.sqrt(0.05 * 0.95 / SURVEYS)
    assert found["none"][0].untrue_made <= by_chance
    assert max(own.false_share for own in found["bh"]) <= by_chance
    assert max(own.any_false for own in found["holm"]) <= by_chance
    rows = "\n".join(
        f"| {case} | `{adjust}` | {nothing.untrue_made:.3f} | {nothing.any_false:.3f} | {third.any_false:.3f}"
        f" | {third.false_share:.3f} | {third.true_made:.3f} |"
        for adjust, (nothing, third) in found.items()
    )
    assert rows in page_of(page)


def page_of(name: str) -> str:
    return (PROJECT / "docs" / "methods" / f"{name}.md").read_text(encoding="utf-8")
