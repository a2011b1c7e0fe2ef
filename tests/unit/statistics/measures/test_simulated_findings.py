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
from meantime.survey.cube.survey_cube import SurveyCube
from tests.asking import records_in
from tests.conftest import PROJECT
from tests.cubes import cube_of
from tests.simulated_surveys import STATES, Survey, Truth, published, rows_of
from tests.tables import OBESITY

SURVEYS = 500
MARGIN = 3.0
CENTRE = 33.0
ADJUSTMENTS = ("none", "bh", "holm")


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


def findings(case: Case, apart: tuple[str, ...]) -> list[Findings]:
    """Count what is found by each adjustment: ``similar`` where a margin is asked for, else a difference."""
    truth = case.truth(apart)

    def drawn(deviates: Mapping[tuple[str, int, str], float]) -> SurveyCube:
        return cube_of(rows_of(truth, deviates, Survey()))

    def answer(cube: SurveyCube, adjust: str) -> list[Record]:
        return records_in(
            case.statistic, cube, {"question": OBESITY, "scale": "linear", **case.asked, "adjust": adjust}
        )

    true = answer(drawn(dict.fromkeys(truth, 0.0)), "none")
    distance = np.array([abs(float(str(own["difference"]))) for own in true])
    is_true = distance < MARGIN - 1e-9 if "margin" in case.asked else distance > 1e-9
    words = {"similar"} if "margin" in case.asked else {"better", "worse"}
    chance, counted = np.random.default_rng(20260103), []
    for _ in range(SURVEYS):
        cube = drawn(dict(zip(truth, chance.standard_normal(len(truth)).tolist(), strict=True)))
        found = np.array([[own["verdict"] in words for own in answer(cube, adjust)] for adjust in ADJUSTMENTS])
        counted.append([(found & ~is_true).sum(axis=1), (found & is_true).sum(axis=1)])
    untrue, right = np.array(counted, dtype=np.float64).transpose(1, 2, 0)
    return [
        Findings(
            untrue_made=float(own.mean() / (~is_true).sum()),
            any_false=float((own > 0).mean()),
            false_share=float((own / np.maximum(1, own + others)).mean()),
            true_made=float(others.mean() / max(1, is_true.sum())),
        )
        for own, others in zip(untrue, right, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_findings_are_false_as_rarely_as_the_adjustment_promises(case: str) -> None:
    own = CASES[case]
    nothing, third = (dict(zip(ADJUSTMENTS, findings(own, apart), strict=True)) for apart in ((), own.apart))
    by_chance = 0.05 + 2 * math.sqrt(0.05 * 0.95 / SURVEYS)
    assert nothing["none"].untrue_made <= by_chance
    assert max(each["bh"].false_share for each in (nothing, third)) <= by_chance
    assert max(each["holm"].any_false for each in (nothing, third)) <= by_chance
    rows = "\n".join(
        f"| {case} | `{adjust}` | {nothing[adjust].untrue_made:.3f} | {nothing[adjust].any_false:.3f}"
        f" | {third[adjust].any_false:.3f} | {third[adjust].false_share:.3f} | {third[adjust].true_made:.3f} |"
        for adjust in ADJUSTMENTS
    )
    assert rows in page_of(own.page)


def page_of(name: str) -> str:
    return (PROJECT / "docs" / "methods" / f"{name}.md").read_text(encoding="utf-8")
