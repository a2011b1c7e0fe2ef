"""Comparisons agree with the naive reference on any table, and don't hang on what one side lacks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meantime.errors import InvalidParameterError
from meantime.statistics.result import Record
from tests import reference_comparisons as reference
from tests.agreement import disagreement
from tests.asking import agree, query_of, records_of_rows
from tests.reference import Row
from tests.reference_comparisons import Rule
from tests.reference_estimates import Options, by_location
from tests.tables import LOCATIONS, OBESITY, STRENGTH, VISITS, everything, tables

WEIGHTS = st.sampled_from(("none", "sample_size", "inverse_variance"))
SCALES = st.sampled_from(("linear", "logit"))
LEVELS = st.sampled_from((0.95, 0.9, 0.5, 0.999))
KINDS = st.sampled_from(("joint", "non_overlap", "pairwise"))
RULES = st.builds(Rule, st.sampled_from(("none", "holm", "bh")), st.sampled_from((None, 0.5, 2.0, 30.0)))


@given(tables(questions=(OBESITY, STRENGTH, VISITS)), st.data(), WEIGHTS, SCALES, LEVELS, RULES)
def test_difference_agrees_with_the_reference(
    rows: list[Row], data: st.DataObject, weights: str, scale: str, level: float, rule: Rule
) -> None:
    question = data.draw(st.sampled_from(sorted({row.question for row in rows})))
    query = query_of(rows, question)
    against = data.draw(st.sampled_from((None, *query.locations)))
    goal = data.draw(st.integers(0, 1000)) / 10
    asked = everything(rows, question) | {"weights": weights, "scale": scale, "level": level} | rule._asdict()
    asked |= {"goal": goal} if against is None else {"against": against}
    options = Options(weights=weights, scale=scale, level=level)
    if len(query.locations) == 1 and against is not None:
        with pytest.raises(InvalidParameterError, match="compared with itself"):
            records_of_rows("difference", rows, asked)
        return
    if against is not None:
        own = by_location(rows, query._replace(locations=(against,)), options)
        if against not in own or own[against][1].value is None:
            assert records_of_rows("difference", rows, asked) == []
            return
    agree(records_of_rows("difference", rows, asked), reference.difference(rows, query, against, goal, options, rule))


@given(tables(questions=(OBESITY, STRENGTH)), st.data(), SCALES, LEVELS, RULES)
def test_compare_agrees_with_the_reference(
    rows: list[Row], data: st.DataObject, scale: str, level: float, rule: Rule
) -> None:
    query = query_of(rows, data.draw(st.sampled_from(sorted({row.question for row in rows}))))
    query = query._replace(
        years=(data.draw(st.sampled_from(query.years)),), segments=(data.draw(st.sampled_from(query.segments)),)
    )
    others: dict[str, Sequence[object]] = {
        "against_question": sorted({row.question for row in rows} - {query.question}),
        "against_year": sorted({row.year for row in rows} - set(query.years)),
        "against_stratum": sorted(
            {row.stratum for row in rows if row.category == query.segments[0][0]} - {query.segments[0][1]}
        ),
    }
    name = data.draw(st.sampled_from(sorted(others)))
    assume(others[name])
    value = others[name][data.draw(st.integers(0, len(others[name]) - 1))]
    other = {
        "against_question": query._replace(question=str(value)),
        "against_year": query._replace(years=(value,) if isinstance(value, int) else ()),
        "against_stratum": query._replace(segments=((query.segments[0][0], str(value)),)),
    }[name]
    asked: dict[str, object] = {
        "question": query.question,
        "years": list(query.years),
        "locations": list(query.locations),
        "categories": [query.segments[0][0]],
        "strata": [query.segments[0][1]],
        "scale": scale,
        "level": level,
        name: value,
        **rule._asdict(),
    }
    found = records_of_rows("compare", rows, asked)
    assert {record.pop("against") for record in found} <= {str(value)}
    agree(found, reference.compare(rows, query, other, Options(scale=scale, level=level), rule))


@given(tables(questions=(OBESITY, STRENGTH)), LEVELS)
def test_a_difference_turned_round_has_the_opposite_sign(rows: list[Row], level: float) -> None:
    query = query_of(rows, OBESITY)
    assume(len(query.locations) >= 2)
    first, second = query.locations[:2]

    def found(of: str, against: str) -> list[Record]:
        return records_of_rows(
            "difference", rows, everything(rows) | {"locations": [of], "against": against, "level": level}
        )

    forth, back = found(first, second), found(second, first)
    assume(forth and back)
    opposite = {"better": "worse", "worse": "better"}
    for own, other in zip(forth, back, strict=True):
        if isinstance(own["difference"], float) and isinstance(other["difference"], float):
            assert own["difference"] == pytest.approx(-other["difference"])
        assert own["p_value"] == pytest.approx(other["p_value"])
        assert opposite.get(str(own["verdict"]), own["verdict"]) == other["verdict"]


COMPARED = ("difference", "difference_standard_error", "p_value", "verdict", "cells_matched")


@given(tables(), st.data(), WEIGHTS)
def test_a_year_that_the_other_side_lacks_changes_no_difference(
    rows: list[Row], data: st.DataObject, weights: str
) -> None:
    locations = sorted({row.location for row in rows})
    assume(len(locations) >= 2)
    against = data.draw(st.sampled_from(locations))
    has_more = data.draw(st.sampled_from(locations))
    asked = {"against": against, "weights": weights, "adjust": "none"}
    before = records_of_rows("difference", rows, everything(rows) | asked)
    assume(before)
    more = [*rows, *(row._replace(year=1999) for row in rows if row.location == has_more)]
    after = records_of_rows("difference", more, everything(more) | asked)
    for one, other in zip(before, after, strict=True):
        assert disagreement({name: other[name] for name in COMPARED}, {name: one[name] for name in COMPARED}) is None


@given(tables(), st.data(), WEIGHTS)
def test_a_year_that_another_location_lacks_changes_no_rank(rows: list[Row], data: st.DataObject, weights: str) -> None:
    asked = {"weights": weights, "end": "lowest", "k": 100}
    before = records_of_rows("ranking", rows, everything(rows) | asked)
    assume(len(before) >= 2)
    has_more = data.draw(st.sampled_from([record["location"] for record in before]))
    more = [*rows, *(row._replace(year=1999) for row in rows if row.location == has_more)]
    after = records_of_rows("ranking", more, everything(more) | asked)
    names = ("location", "value", "rank", "rank_low", "rank_high", "cells_matched")
    assert [[record[name] for name in names] for record in after] == [
        [record[name] for name in names] for record in before
    ]


STATES = ("Alabama", "District of Columbia", "Ohio", "Utah")


@given(tables(), st.permutations(STATES), st.integers(1, 4), WEIGHTS, KINDS)
def test_names_decide_nothing_in_a_ranking(rows: list[Row], names: list[str], k: int, weights: str, kind: str) -> None:
    renamed = dict(zip(LOCATIONS, LOCATIONS, strict=True)) | dict(zip(STATES, names, strict=True))
    turned = [row._replace(location=renamed[row.location]) for row in rows]
    asked = {"k": k, "end": "highest", "weights": weights, "rank_intervals": kind}
    before, after = (records_of_rows("ranking", table, everything(table) | asked) for table in (rows, turned))
    found = {str(record["location"]): record for record in after}
    assert {renamed[str(record["location"])] for record in before} == set(found)
    for record in before:
        other = found[renamed[str(record["location"])]]
        assert disagreement(other | {"location": ""}, record | {"location": ""}) is None


@given(tables(), st.sampled_from(("joint", "non_overlap")), LEVELS, st.integers(1, 5))
def test_joint_rank_intervals_contain_the_pairwise_ones(rows: list[Row], kind: str, level: float, k: int) -> None:
    asked = everything(rows) | {"k": k, "level": level}
    kinds = (kind, "pairwise")
    jointly, pairwise = (
        {str(one["location"]): one for one in records_of_rows("ranking", rows, asked | {"rank_intervals": each})}
        for each in kinds
    )
    assert jointly.keys() >= pairwise.keys()
    for name, record in pairwise.items():
        assert set(allowed(record)) <= set(allowed(jointly[name]))
        assert (jointly[name]["surely_among_k"], record["possibly_among_k"]) != (True, False)


def allowed(record: Record) -> range:
    """Return the ranks that a record's interval holds."""
    low, high = record["rank_low"], record["rank_high"]
    assert isinstance(low, int)
    assert isinstance(high, int)
    return range(low, high + 1)


@given(tables(), st.sampled_from(("holm", "bh")))
def test_adjusting_lowers_no_p_and_never_makes_a_difference(rows: list[Row], adjust: str) -> None:
    asked = everything(rows) | {"goal": 30}
    plain, found = (records_of_rows("difference", rows, asked | {"adjust": each}) for each in ("none", adjust))
    for one, other in zip(plain, found, strict=True):
        if isinstance(one["p_value"], float):
            assert isinstance(other["p_adjusted"], float)
            assert one["p_adjusted"] == one["p_value"] <= other["p_adjusted"] <= 1
            assert other["verdict"] in {one["verdict"], "no clear difference"}
