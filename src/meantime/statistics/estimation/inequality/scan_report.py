"""What a scan of gaps says besides the gaps that it gives: how many were tested and found, and what wasn't.

The gaps are in ``scanned_gaps.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.inequality.scanned_gaps import Gaps
from meantime.statistics.result import Record
from meantime.survey.cube.survey_cube import BoolArray, SurveyCube


def cautions_of_scan(gaps: Gaps, found: BoolArray, given_count: int, unscanned: Sequence[str]) -> list[str]:
    """Return how many gaps were tested, found and given, which weren't tested, and what they have in common.

    Parameters
    ----------
    gaps
        All of them.
    found
        Which are.
    given_count
        How many records there are.
    unscanned
        Questions without any gap.
    """
    is_tested, has_two = gaps.is_tested(), gaps.has_two()
    test_count, lonely, unsure = int(is_tested.sum()), int((~has_two).sum()), int((has_two & ~is_tested).sum())
    cautions = [
        f"{test_count} gaps tested, {int(found.sum())} found, {given_count} given, {test_count - given_count} not given"
    ]
    if lonely:
        cautions.append(f"not tested, because fewer than two strata have a value: {lonely} gaps")
    if unsure:
        cautions.append(f"not tested, because a stratum's standard error is unknown or 0: {unsure} gaps")
    if unscanned:
        cautions.append(f"without a row there, so not scanned: {len(unscanned)} questions ({listed(unscanned)})")
    lacking = int((is_tested & (gaps.strata_missing() > 0)).sum())
    if lacking:
        cautions.append(f"a stratum has no value in {lacking} of the gaps that were tested, which may be wider")
    cautions.append(
        "the strata of a category are taken as independent samples; all categories hold the same people, so a place's"
        " gaps depend on each other"
    )
    return cautions


def explanation_of_scan(cube: SurveyCube, gaps: Gaps, given: Gaps, found: BoolArray) -> dict[str, object]:
    """Return the strata of the gaps that are given, and how many were tested and found, by question and category."""
    is_tested, category_of = gaps.is_tested(), gaps.segments[:, 0].tolist()
    counts: dict[tuple[int, str], list[int]] = {}
    for question, segment, one, other in zip(
        gaps.question.tolist(), category_of, is_tested.tolist(), found.tolist(), strict=True
    ):
        own = counts.setdefault((question, cube.segments[segment].category), [0, 0, 0])
        for place, number in enumerate((1, one, other)):
            own[place] += number
    rows: list[Record] = [
        {
            "question": cube.questions[int(given.question[place])].text,
            "location": cube.locations[int(given.location[place])].name,
            "year": int(given.year[place]),
            "category": cube.segments[int(given.segments[place, 0])].category,
            "stratum": own.stratum,
            "value": own.value,
            "standard_error": own.standard_error,
        }
        for place in range(len(given))
        for own in given.strata_of(place, [segment.stratum for segment in cube.segments])
    ]
    return {
        "formula": "the largest |v_a - v_b| of all pairs of strata, SE = sqrt(SE_a^2 + SE_b^2)",
        "row_count": int((~np.isnan(gaps.value)).sum()),
        "rows_truncated": len(given) < len(gaps),
        "rows": rows,
        "sums": [
            {
                "question": cube.questions[question].text,
                "category": category,
                "gaps": own[0],
                "tested_count": own[1],
                "found_count": own[2],
            }
            for (question, category), own in sorted(counts.items())
        ],
        "pitfalls": [_PITFALL],
    }


_PITFALL = (
    "The gaps that are given were picked because they are large: low and high cover each gap by itself, but fewer of"
    " those that were picked; selected_low and selected_high allow for that."
)
