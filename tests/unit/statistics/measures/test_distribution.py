"""Distribution: exact from cells of one estimate, and from a source of single estimates otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from meantime.errors import StatisticError
from meantime.statistics.measures.distribution import sorted_quantiles
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.single_estimates import SingleEstimates
from tests.agreement import disagreement
from tests.asking import ask, records_in
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY


def row(location: str, year: int, stratum: str, value: float | None) -> Row:
    return Row(OBESITY, "Q036", location, location[:2], year, "Race", stratum, value, None, None, None)


DETAILED = [
    row(location, year, f"{stratum} {part}", None if value % 13 == 0 else 10.0 + value)
    for value, (location, year, stratum, part) in enumerate(
        (location, year, stratum, part)
        for location in ("Iowa", "Ohio", "Utah")
        for year in (2020, 2021)
        for stratum in ("Asian", "White")
        for part in (1, 2, 3)
    )
]
MERGED = [detail._replace(stratum=detail.stratum[:-2]) for detail in DETAILED]
REQUEST: dict[str, object] = {
    "question": OBESITY,
    "years": [2020, 2021],
    "categories": ["Race"],
    "quantiles": [0.1, 0.5, 0.9],
}


@dataclass
class RowSource:
    """A source that reads the rows themselves, as an engine would."""

    rows: Sequence[Row]

    def single_estimates(
        self, question: str, years: Sequence[int], locations: Sequence[str], segments: Sequence[tuple[str, str]]
    ) -> SingleEstimates:
        found = [
            (locations.index(own.location), own.year, segments.index((own.category, own.stratum)), own.value)
            for own in reversed(self.rows)
            if own.question == question
            and own.year in years
            and own.location in locations
            and (own.category, own.stratum) in segments
            and own.value is not None
        ]
        columns = list(zip(*found, strict=True)) or [(), (), (), ()]
        location, year, segment = (np.array(column, dtype=np.int32) for column in columns[:3])
        return SingleEstimates(location, year, segment, np.array(columns[3], dtype=np.float64))


def from_source(cube: SurveyCube, source: RowSource, request: dict[str, object]) -> object:
    return ask("distribution", cube, request, source)["records"]


@pytest.mark.parametrize("by", [[], ["location"], ["location", "year"], ["year"]])
def test_a_source_of_single_estimates_gives_what_cells_of_one_estimate_give(by: list[str]) -> None:
    exact = records_in("distribution", cube_of(DETAILED), REQUEST | {"by": by})
    read = from_source(cube_of(MERGED), RowSource(MERGED), REQUEST | {"by": by})
    assert disagreement(read, exact) is None


def test_without_a_source_merged_cells_have_no_median() -> None:
    with pytest.raises(StatisticError, match="ask for a mean"):
        records_in("distribution", cube_of(MERGED), REQUEST)


def test_a_source_that_has_changed_is_noticed() -> None:
    for changed in (MERGED[:-1], [*MERGED, row("Iowa", 2020, "Asian", 12.0)]):
        with pytest.raises(StatisticError, match="no longer holds the estimates"):
            from_source(cube_of(MERGED), RowSource(changed), REQUEST)


def test_a_suppressed_group_has_no_numbers_and_no_error() -> None:
    rows = [row("Iowa", 2020, "Asian", None), row("Ohio", 2020, "Asian", 20.0)]
    request = {"question": OBESITY, "categories": ["Race"], "by": ["location"]}
    iowa, ohio = records_in("distribution", cube_of(rows), request)
    assert (iowa["value"], iowa["count"], iowa["reliability"]) == (None, 0, "suppressed")
    assert (ohio["value"], ohio["minimum"], ohio["maximum"], ohio["quantile_0.25"]) == (20.0, 20.0, 20.0, 20.0)
    assert (ohio["standard_deviation"], ohio["reliability"]) == (None, None)


def test_quantiles_of_empty_runs_are_unknown() -> None:
    empty = np.array([0]), np.array([0])
    assert np.isnan(sorted_quantiles(np.array([]), *empty, 0.5)).all()
    found = sorted_quantiles(np.array([1.0, 2.0]), np.array([0, 2, 2]), np.array([2, 0, 0]), 0.5)
    assert found[0] == 1.5
    assert np.isnan(found[1:]).all()
