"""Changes agree with the naive reference on any table, whatever the names and whichever side comes first."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations, product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meantime.errors import InvalidParameterError
from meantime.statistics.result import Record
from tests import reference_changes as reference
from tests.agreement import disagreement
from tests.asking import agree, query_of, records_of_rows
from tests.property.test_statistics_comparisons import LEVELS, RULES, SCALES, STATES
from tests.reference import Row
from tests.reference_changes import Asked
from tests.reference_comparisons import Rule
from tests.reference_estimates import Options, Query
from tests.tables import LOCATIONS, OBESITY, SEGMENTS, STRENGTH, VISITS, YEARS, everything, row_of

QUESTIONS = (OBESITY, STRENGTH, VISITS)
KINDS = st.sampled_from(("value", "trend"))


@st.composite
def full_tables(draw: st.DrawFn, segments: Sequence[tuple[str, str]]) -> list[Row]:
    """Draw a table of one question with several locations, years and strata, of which few rows lack something."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    question = chance.choice(QUESTIONS)
    locations, years = (
        chance.sample(sorted(LOCATIONS), chance.randint(2, 3)),
        chance.sample(YEARS, chance.randint(2, 5)),
    )
    grid = list(product(locations, sorted(years), chance.sample(segments, min(2, len(segments)))))
    lacking = [place for place in grid if chance.random() < 0.1]
    return [row_of(chance.randrange(10**10), question, *place) for place in grid if place not in lacking]


@given(full_tables(SEGMENTS), st.data(), KINDS, st.booleans(), SCALES, LEVELS, RULES)
def test_changes_and_trends_agree_with_the_reference(
    rows: list[Row], data: st.DataObject, of: str, crosses: bool, scale: str, level: float, rule: Rule
) -> None:
    query = query_of(rows, rows[0].question)
    assume(len(query.years) >= 2)
    if of == "value":
        query = query._replace(years=data.draw(st.sampled_from(list(combinations(query.years, 2)))))
    asked = Asked(of, data.draw(st.sampled_from(query.locations)), None, crosses and of == "trend")
    sent = request_of(query, asked) | {"scale": scale, "level": level} | rule._asdict()
    if len(query.locations) == 1:
        with pytest.raises(InvalidParameterError, match="compared with itself"):
            records_of_rows("change", rows, sent)
        return
    expected = reference.change(rows, query, asked, Options(scale=scale, level=level), rule)
    agree(records_of_rows("change", rows, sent), expected)


@given(full_tables(SEGMENTS[:2]), st.data(), SCALES, LEVELS, RULES)
def test_changes_of_a_gap_agree_with_the_reference(
    rows: list[Row], data: st.DataObject, scale: str, level: float, rule: Rule
) -> None:
    query = query_of(rows, rows[0].question)
    assume(len(query.segments) == len(SEGMENTS[:2]) and len(query.years) >= 2)
    one, other = data.draw(st.permutations(query.segments))
    query = query._replace(years=data.draw(st.sampled_from(list(combinations(query.years, 2)))), segments=(one,))
    asked = Asked("disparity", data.draw(st.none() | st.sampled_from(query.locations)), other[1])
    assume(query.locations != (asked.against,))
    sent = request_of(query, asked) | {"scale": scale, "level": level} | rule._asdict()
    expected = reference.change(rows, query, asked, Options(scale=scale, level=level), rule)
    agree(records_of_rows("change", rows, sent), expected)


def request_of(query: Query, asked: Asked) -> dict[str, object]:
    """Return the filters of a query, and what is asked."""
    sent: dict[str, object] = {"question": query.question, "years": query.years, "locations": query.locations}
    strata = {stratum for _, stratum in query.segments}
    sent |= {"categories": sorted({category for category, _ in query.segments}), "strata": sorted(strata)}
    sent |= {"of": asked.of, "against": asked.against, "reference": asked.reference}
    return sent | {"breaks": "cross" if asked.crosses else "apart"}


OPPOSITE = {"better": "worse", "worse": "better", "higher": "lower", "lower": "higher"}


@given(full_tables(SEGMENTS), KINDS)
def test_changes_turned_round_have_the_opposite_sign(rows: list[Row], of: str) -> None:
    query = query_of(rows, rows[0].question)
    assume(len(query.locations) >= 2 and len(query.years) >= 2)
    first, second = query.locations[:2]
    years = query.years if of == "trend" else query.years[:2]

    def found(place: str, against: str) -> list[Record]:
        sent = everything(rows, rows[0].question) | {"years": years, "locations": [place], "against": against, "of": of}
        return records_of_rows("change", rows, sent)

    forth, back = found(first, second), found(second, first)
    assume(forth and len(forth) == len(back))
    for one, other in zip(forth, back, strict=True):
        if one["difference"] is not None:
            assert one["difference"] == pytest.approx(-float(str(other["difference"])))
        assert (one["value"], one["p_value"]) == pytest.approx((other["reference"], other["p_value"]))
        assert OPPOSITE.get(str(one["verdict"]), one["verdict"]) == other["verdict"]


@given(full_tables(SEGMENTS), st.data())
def test_a_year_that_one_side_lacks_changes_no_difference_of_slopes(rows: list[Row], data: st.DataObject) -> None:
    locations = sorted({row.location for row in rows})
    assume(len(locations) >= 2 and len({row.year for row in rows}) >= 2)
    against, has_more = (data.draw(st.sampled_from(locations)) for _ in range(2))
    asked = {"of": "trend", "against": against}
    before = records_of_rows("change", rows, everything(rows, rows[0].question) | asked)
    more = [*rows, *(row._replace(year=1999) for row in rows if row.location == has_more and row.year == rows[0].year)]
    after = records_of_rows("change", more, everything(more, more[0].question) | asked)
    gone = {"cells_left_out", "left_out", "cells_suppressed"}
    assert [{name: own for name, own in each.items() if name not in gone} for each in after] == [
        {name: own for name, own in each.items() if name not in gone} for each in before
    ]


@given(full_tables(SEGMENTS), st.permutations(STATES), KINDS, RULES)
def test_names_decide_nothing_of_a_change(rows: list[Row], names: list[str], of: str, rule: Rule) -> None:
    renamed = dict(zip(LOCATIONS, LOCATIONS, strict=True)) | dict(zip(STATES, names, strict=True))
    years = sorted({row.year for row in rows})
    assume(len({row.location for row in rows}) >= 2 and len(years) >= 2)
    turned = [row._replace(location=renamed[row.location]) for row in rows]
    against = rows[0].location
    asked: dict[str, object] = {"of": of, "years": years if of == "trend" else years[:2], **rule._asdict()}

    def by_place(table: list[Row], beside: str) -> dict[str, Record]:
        found = records_of_rows("change", table, everything(table, table[0].question) | asked | {"against": beside})
        return {f"{each['location']}|{each['stratum']}|{each['first_year']}": each for each in found}

    before, after = by_place(rows, against), by_place(turned, renamed[against])
    moved = {
        f"{renamed[str(each['location'])]}|{each['stratum']}|{each['first_year']}": each for each in before.values()
    }
    without: Record = {"location": "", "against": ""}
    assert (
        disagreement(
            {key: each | without for key, each in after.items()}, {key: each | without for key, each in moved.items()}
        )
        is None
    )


@given(full_tables(SEGMENTS), st.sampled_from(("holm", "bh")), KINDS)
def test_adjusting_lowers_no_p_of_a_change_and_never_makes_a_difference(rows: list[Row], adjust: str, of: str) -> None:
    years = sorted({row.year for row in rows})
    assume(len({row.location for row in rows}) >= 2 and len(years) >= 2)
    asked = everything(rows, rows[0].question) | {
        "of": of,
        "years": years if of == "trend" else years[:2],
        "against": rows[0].location,
    }
    plain, found = (records_of_rows("change", rows, asked | {"adjust": each}) for each in ("none", adjust))
    for one, other in zip(plain, found, strict=True):
        if isinstance(one["p_value"], float):
            assert isinstance(other["p_adjusted"], float)
            assert one["p_adjusted"] == one["p_value"] <= other["p_adjusted"] <= 1
            assert other["verdict"] in {one["verdict"], "no clear difference"}
