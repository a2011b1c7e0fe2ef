"""Coverage: present, suppressed and missing places of the grid."""

from __future__ import annotations

import pytest

from meantime.errors import StatisticError
from tests.asking import ask, records_in
from tests.bundled import bundled_cube
from tests.conftest import PROJECT
from tests.cubes import cube_of
from tests.reference import Row, read_rows
from tests.tables import OBESITY, STRENGTH

WIC = PROJECT.parent / "shared" / "data" / "npao-wic-2008-2014.zip"


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
COUNTS = (
    "cells_used",
    "cells_suppressed",
    "cells_not_surveyed",
    "cells_not_asked",
    "cells_missing",
    "cells_expected",
    "value",
)


def counts(**request: object) -> dict[tuple[object, ...], tuple[object, ...]]:
    found = records_in("coverage", CUBE, request)
    dimensions = ("question", "location", "year", "category", "stratum")
    return {
        tuple(record[name] for name in dimensions if name in record): tuple(record[name] for name in COUNTS)
        for record in found
    }


def test_everything_is_looked_at_by_default() -> None:
    assert counts() == {
        (OBESITY, 2020): (4, 1, 0, 0, 1, 6, pytest.approx(400 / 6)),
        (OBESITY, 2021): (3, 0, 3, 0, 0, 6, 50.0),
        (STRENGTH, 2022): (1, 0, 1, 0, 0, 2, 50.0),
    }


def test_a_question_is_expected_only_in_the_years_in_which_it_was_asked() -> None:
    assert counts(by=["question"]) == {
        (OBESITY,): (7, 1, 3, 0, 1, 12, pytest.approx(700 / 12)),
        (STRENGTH,): (1, 0, 1, 0, 0, 2, 50.0),
    }


def test_places_add_up_whatever_they_are_kept_apart_by() -> None:
    for by in ([], ["location"], ["year"], ["category"], ["stratum"], ["question", "location", "year", "stratum"]):
        found = records_in("coverage", CUBE, {"by": by})
        totals = [sum(int(str(record[name])) for record in found) for name in COUNTS[:6]]
        assert totals == [8, 1, 4, 0, 1, 14]


def test_filters_narrow_the_grid() -> None:
    assert counts(question=OBESITY, include=["states"], years=[2020, 2021], strata=["Male"], by=["year"]) == {
        (OBESITY, "Ohio", 2020, "Sex", "Male"): (1, 0, 0, 0, 0, 1, 100.0),
        (OBESITY, "Ohio", 2021, "Sex", "Male"): (1, 0, 0, 0, 0, 1, 100.0),
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


def test_a_location_without_any_estimate_in_a_year_is_not_in_the_survey_then() -> None:
    cautions = ask("coverage", CUBE, {"years": [2021]})["cautions"]
    assert isinstance(cautions, list)
    assert "not in the survey that year: Guam 2021" in cautions


def test_a_location_with_estimates_of_other_questions_was_not_asked_this_one() -> None:
    cube = cube_of(
        [
            *(row("Ohio", 2020, "Total", 30.0, question) for question in (OBESITY, STRENGTH)),
            row("Guam", 2020, "Total", 40.0),
            row("Guam", 2020, "Total", None, STRENGTH),
        ]
    )
    (record,) = records_in("coverage", cube, {"question": STRENGTH})
    assert (record["cells_used"], record["cells_suppressed"], record["cells_not_asked"]) == (1, 0, 1)
    found = ask("mean", cube, {"question": STRENGTH, "locations": ["Ohio", "Guam"]})["cautions"]
    assert isinstance(found, list)
    assert "with estimates of other questions that year, but none of this one: Guam 2020" in found
    assert not any("small groups" in caution for caution in found)


def test_what_no_row_is_about_is_impossible_and_not_expected() -> None:
    cautions = ask("coverage", CUBE, {"question": STRENGTH})["cautions"]
    assert isinstance(cautions, list)
    assert any(caution.startswith("4 places are not counted, because no row") for caution in cautions)
    with pytest.raises(StatisticError, match="no row has that question and stratum"):
        counts(question=STRENGTH, strata=["Male"])


def test_3_108_of_12_755_empty_cells_of_the_bundled_table_are_no_suppressed_ones() -> None:
    (record,) = records_in("coverage", bundled_cube(), {"by": []})
    assert [record[name] for name in COUNTS[:6]] == [93_505, 9_647, 2_968, 140, 0, 106_260]
    assert 2_968 + 140 == 3_108
    assert 9_647 + 3_108 == 12_755


def test_kentucky_is_told_that_it_is_not_in_the_survey_of_2023() -> None:
    found = ask("difference", bundled_cube(), {"question": "Q036", "locations": ["Kentucky", "Ohio"]})["cautions"]
    assert isinstance(found, list)
    assert "not in the survey that year, so without an estimate: Kentucky 2023" in found
    assert not any("small groups" in caution for caution in found)


def test_infants_are_not_expected_under_a_question_about_older_children() -> None:
    if not WIC.is_file():
        pytest.skip(f"needs CDC's WIC table at {WIC.name}")
    cube = cube_of(read_rows(WIC))
    (record,) = records_in("coverage", cube, {"by": []})
    assert record["value"] == pytest.approx(97.4, abs=0.05)
    question = next(
        question.text for question in cube.questions if "aged 2 to 4 years who have obesity" in question.text
    )
    answer = ask("disparity", cube, {"question": question, "categories": ["Age (months)"]})
    assert isinstance(answer["cautions"], list)
    assert not any("lack a stratum" in caution for caution in answer["cautions"])
    assert "strata that the question has no row of are left out: 11-Jun, 17-Dec, 18 - 23, 5-Mar" in answer["cautions"]
