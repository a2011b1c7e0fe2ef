"""Coverage: present, suppressed and missing places of the grid."""

from __future__ import annotations

import pytest

from meantime.errors import StatisticError
from tests.asking import ask, records_in
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY, STRENGTH


def row(location: str, year: int, stratum: str, value: float | None, question: str = OBESITY) -> Row:
    category = "Sex" if stratum in ("Male", "Female") else stratum
    return Row(question, question[-4:], location, location[:2], year, category, stratum, value, None, None, None)


CUBE = cube_of(
    [
        *(row("Ohio", year, stratum, 30.0) for year in (2020, 2021) for stratum in ("Total", "Male", "Female")),
        row("Guam", 2020, "Total", 40.0),
        row("Guam", 2020, "Male", None),
        row("Ohio", 2022, "Total", 50.0, STRENGTH),
        row("Ohio", 2020, "", 30.0),
    ]
)
COUNTS = ("cells_used", "cells_suppressed", "cells_missing", "cells_expected", "value")


def counts(**request: object) -> dict[tuple[object, ...], tuple[object, ...]]:
    found = records_in("coverage", CUBE, request)
    dimensions = ("question", "location", "year", "category", "stratum")
    return {
        tuple(record[name] for name in dimensions if name in record): tuple(record[name] for name in COUNTS)
        for record in found
    }


def test_everything_is_looked_at_by_default() -> None:
    assert counts() == {
        (OBESITY, 2020): (4, 1, 1, 6, pytest.approx(400 / 6)),
        (OBESITY, 2021): (3, 0, 3, 6, 50.0),
        (STRENGTH, 2022): (1, 0, 5, 6, pytest.approx(100 / 6)),
    }


def test_a_question_is_expected_only_in_the_years_in_which_it_was_asked() -> None:
    assert counts(by=["question"]) == {
        (OBESITY,): (7, 1, 4, 12, pytest.approx(700 / 12)),
        (STRENGTH,): (1, 0, 5, 6, pytest.approx(100 / 6)),
    }


def test_places_add_up_whatever_they_are_kept_apart_by() -> None:
    for by in ([], ["location"], ["year"], ["category"], ["stratum"], ["question", "location", "year", "stratum"]):
        found = records_in("coverage", CUBE, {"by": by})
        totals = [sum(int(str(record[name])) for record in found) for name in COUNTS[:4]]
        assert totals == [8, 1, 9, 18]


def test_filters_narrow_the_grid() -> None:
    assert counts(question=OBESITY, include=["states"], years=[2020, 2021], strata=["Male"], by=["year"]) == {
        (OBESITY, "Ohio", 2020, "Sex", "Male"): (1, 0, 0, 1, 100.0),
        (OBESITY, "Ohio", 2021, "Sex", "Male"): (1, 0, 0, 1, 100.0),
    }


def test_categories_count_their_strata_together() -> None:
    found = records_in("coverage", CUBE, {"question": OBESITY, "years": [2020], "by": ["category"]})
    assert [(record["category"], record["cells_expected"]) for record in found] == [("Sex", 4), ("Total", 2)]


def test_rows_without_a_stratum_are_named_in_a_caution() -> None:
    cautions = ask("coverage", CUBE, {})["cautions"]
    assert isinstance(cautions, list)
    assert any(caution.startswith("1 rows have no category") for caution in cautions)


def test_a_question_that_was_not_asked_then_fails() -> None:
    with pytest.raises(StatisticError, match="nothing was asked"):
        counts(question=STRENGTH, years=[2020])
