"""Pairs of locations agree with the naive reference on any table, whatever the names, and hang on no gap."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from meantime.statistics.result import Record
from tests import reference_pairs as reference
from tests.agreement import disagreement
from tests.asking import agree, query_of, records_of_rows
from tests.property.test_statistics_comparisons import LEVELS, RULES, SCALES, STATES, WEIGHTS
from tests.reference import Row
from tests.reference_comparisons import Rule
from tests.reference_estimates import Options
from tests.tables import LOCATIONS, OBESITY, VISITS, everything, tables


@given(tables(questions=(OBESITY, VISITS)), st.data(), WEIGHTS, SCALES, LEVELS, RULES)
def test_pairs_agree_with_the_reference(
    rows: list[Row], data: st.DataObject, weights: str, scale: str, level: float, rule: Rule
) -> None:
    query = query_of(rows, data.draw(st.sampled_from(sorted({row.question for row in rows}))))
    assume(len(query.locations) >= 2)
    place = data.draw(st.none() | st.sampled_from(query.locations))
    asked = everything(rows, query.question) | {"weights": weights, "scale": scale, "level": level} | rule._asdict()
    asked |= {"place": place}
    options = Options(weights=weights, scale=scale, level=level)
    agree(records_of_rows("pairwise", rows, asked), reference.pairwise(rows, query, place, options, rule))


OPPOSITE = {"better": "worse", "worse": "better"}
OF_THE_PAIR = ("difference_standard_error", "p_value", "p_adjusted", "reliability", "cells_matched")


def by_pair(records: list[Record]) -> dict[tuple[str, str], dict[str, object]]:
    """Return what is found of each pair both ways round: by the names of its sides, whichever is first."""
    found: dict[tuple[str, str], dict[str, object]] = {}
    for record in records:
        names, verdict, gap = (str(record["location"]), str(record["against"])), record["verdict"], record["difference"]
        assert isinstance(gap, float)
        shared: dict[str, object] = {name: record[name] for name in OF_THE_PAIR}
        found[names] = shared | {"difference": gap, "verdict": verdict}
        found[names[::-1]] = shared | {"difference": -gap, "verdict": OPPOSITE.get(str(verdict), verdict)}
    return found


@given(tables(), st.permutations(STATES), WEIGHTS, RULES)
def test_names_decide_nothing_of_a_pair(rows: list[Row], names: list[str], weights: str, rule: Rule) -> None:
    renamed = dict(zip(LOCATIONS, LOCATIONS, strict=True)) | dict(zip(STATES, names, strict=True))
    assume(len({row.location for row in rows}) >= 2)
    turned = [row._replace(location=renamed[row.location]) for row in rows]
    asked: dict[str, object] = {"weights": weights, **rule._asdict()}
    before, after = (by_pair(records_of_rows("pairwise", table, everything(table) | asked)) for table in (rows, turned))
    moved = {(renamed[first], renamed[second]): found for (first, second), found in before.items()}
    assert (
        disagreement(
            {str(pair): found for pair, found in after.items()}, {str(pair): found for pair, found in moved.items()}
        )
        is None
    )


@given(tables(), st.sampled_from(("holm", "bh")))
def test_adjusting_lowers_no_p_of_a_pair_and_never_makes_a_difference(rows: list[Row], adjust: str) -> None:
    assume(len({row.location for row in rows}) >= 2)
    asked = everything(rows)
    plain, found = (records_of_rows("pairwise", rows, asked | {"adjust": each}) for each in ("none", adjust))
    for one, other in zip(plain, found, strict=True):
        if isinstance(one["p_value"], float):
            assert isinstance(other["p_adjusted"], float)
            assert one["p_adjusted"] == one["p_value"] <= other["p_adjusted"] <= 1
            assert other["verdict"] in {one["verdict"], "no clear difference"}


@given(tables(), st.data(), WEIGHTS)
def test_a_year_that_another_location_lacks_changes_no_pair(rows: list[Row], data: st.DataObject, weights: str) -> None:
    assume(len({row.location for row in rows}) >= 2)
    before = records_of_rows("pairwise", rows, everything(rows) | {"weights": weights})
    assume(before)
    has_more = data.draw(st.sampled_from(sorted({str(record["location"]) for record in before})))
    more = [*rows, *(row._replace(year=1999) for row in rows if row.location == has_more)]
    after = records_of_rows("pairwise", more, everything(more) | {"weights": weights})
    assert (
        disagreement(
            {str(key): each for key, each in by_pair(after).items()},
            {str(key): each for key, each in by_pair(before).items()},
        )
        is None
    )
