"""Mean, difference and compare agree with the naive reference on any table, and keep the laws of pooling."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from meantime.errors import InvalidParameterError
from meantime.statistics.result import Record
from tests import reference_estimates as reference
from tests.agreement import disagreement
from tests.asking import agree, query_of, records_of_rows
from tests.reference import Row
from tests.reference_estimates import Options
from tests.tables import OBESITY, STRENGTH, VISITS, everything, tables, without_limits_at_the_ends

BY = st.lists(st.sampled_from(("location", "year", "category", "stratum")), unique=True)
WEIGHTS = st.sampled_from(("none", "sample_size", "inverse_variance"))
SCALES = st.sampled_from(("linear", "logit"))
LEVELS = st.sampled_from((0.95, 0.9, 0.5, 0.999))


@given(tables(questions=(OBESITY, STRENGTH)), BY, WEIGHTS, SCALES, LEVELS)
def test_mean_agrees_with_the_reference(rows: list[Row], by: list[str], weights: str, scale: str, level: float) -> None:
    asked = everything(rows) | {"by": by, "weights": weights, "scale": scale, "level": level}
    options = Options(weights=weights, scale=scale, level=level)
    agree(records_of_rows("mean", rows, asked), reference.mean(rows, query_of(rows, OBESITY), by, options))


@given(tables(), st.data())
def test_population_weights_agree_with_the_reference(rows: list[Row], data: st.DataObject) -> None:
    places = sorted({(row.location, row.year) for row in rows})
    people = {place: float(data.draw(st.integers(1, 40_000_000))) for place in places if data.draw(st.integers(0, 4))}
    assume(people)
    table = [{"location": place, "year": year, "population": count} for (place, year), count in people.items()]
    by = ["stratum", *data.draw(st.sampled_from(([], ["year"])))]
    asked = everything(rows) | {"by": by, "weights": "population", "population": table, "scale": "linear"}
    expected = reference.mean(rows, query_of(rows, OBESITY), by, Options(weights="population", population=people))
    agree(records_of_rows("mean", rows, asked), expected)


@given(tables(questions=(OBESITY, STRENGTH, VISITS)), st.data(), WEIGHTS, SCALES, LEVELS)
def test_difference_agrees_with_the_reference(
    rows: list[Row], data: st.DataObject, weights: str, scale: str, level: float
) -> None:
    question = data.draw(st.sampled_from(sorted({row.question for row in rows})))
    query = query_of(rows, question)
    against = data.draw(st.sampled_from((None, *query.locations)))
    goal = data.draw(st.integers(0, 1000)) / 10
    asked = everything(rows, question) | {"weights": weights, "scale": scale, "level": level}
    asked |= {"goal": goal} if against is None else {"against": against}
    options = Options(weights=weights, scale=scale, level=level)
    if len(query.locations) == 1 and against is not None:
        with pytest.raises(InvalidParameterError, match="compared with itself"):
            records_of_rows("difference", rows, asked)
        return
    if against is not None:
        own = reference.by_location(rows, query._replace(locations=(against,)), options)
        if against not in own or own[against][1].value is None:
            assert records_of_rows("difference", rows, asked) == []
            return
    agree(records_of_rows("difference", rows, asked), reference.difference(rows, query, against, goal, options))


@given(tables(questions=(OBESITY, STRENGTH)), st.data(), SCALES, LEVELS)
def test_compare_agrees_with_the_reference(rows: list[Row], data: st.DataObject, scale: str, level: float) -> None:
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
    }
    found = records_of_rows("compare", rows, asked)
    assert {record.pop("against") for record in found} <= {str(value)}
    agree(found, reference.compare(rows, query, other, Options(scale=scale, level=level)))


@given(tables(), BY)
def test_weights_of_one_give_the_plain_mean(rows: list[Row], by: list[str]) -> None:
    rows = [row._replace(sample_size=1.0) for row in rows]
    asked = everything(rows) | {"by": by}
    plain, sized = (
        records_of_rows("mean", rows, asked),
        records_of_rows("mean", rows, asked | {"weights": "sample_size"}),
    )
    assert disagreement(sized, plain) is None


@given(tables(), BY, WEIGHTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[Row], by: list[str], weights: str, chance: random.Random) -> None:
    asked = everything(rows) | {"by": by, "weights": weights}
    before = records_of_rows("mean", rows, asked)
    chance.shuffle(rows)
    assert disagreement(records_of_rows("mean", rows, asked), before, tolerance=1e-12) is None


@given(tables(), WEIGHTS)
def test_merging_cells_changes_nothing(rows: list[Row], weights: str) -> None:
    rows = without_limits_at_the_ends(rows)  # these are read one by one, where a cell holds one estimate
    merged = [row._replace(category="Total", stratum="Total") for row in rows]
    fields = ("location", "year", "value", "standard_error", "sample_size", "cells_used", "cells_suppressed")
    asked = {"by": ["location", "year"], "weights": weights, "scale": "linear"}
    apart, together = (records_of_rows("mean", table, everything(table) | asked) for table in (rows, merged))
    picked = [[{field: record[field] for field in fields} for record in found] for found in (apart, together)]
    assert disagreement(picked[1], picked[0]) is None


@given(tables(), BY, WEIGHTS, SCALES, LEVELS)
def test_an_interval_contains_its_estimate(
    rows: list[Row], by: list[str], weights: str, scale: str, level: float
) -> None:
    for record in records_of_rows(
        "mean", rows, everything(rows) | {"by": by, "weights": weights, "scale": scale, "level": level}
    ):
        low, value, high = record["low"], record["value"], record["high"]
        if isinstance(low, float) and isinstance(value, float) and isinstance(high, float):
            assert low - 1e-9 <= value <= high + 1e-9
            assert level == 0.95 or -1e-9 <= low <= high <= 100 + 1e-9


@given(tables(), WEIGHTS)
def test_a_pooled_value_lies_between_its_smallest_and_largest_estimate(rows: list[Row], weights: str) -> None:
    values = [row.value for row in rows if row.value is not None]
    for record in records_of_rows("mean", rows, everything(rows) | {"weights": weights}):
        value = record["value"]
        assert value is None or (isinstance(value, float) and min(values) - 1e-9 <= value <= max(values) + 1e-9)


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
    opposite = {"better": "worse", "worse": "better", "similar": "similar", None: None}
    for own, other in zip(forth, back, strict=True):
        if isinstance(own["difference"], float) and isinstance(other["difference"], float):
            assert own["difference"] == pytest.approx(-other["difference"])
        assert own["p_value"] == pytest.approx(other["p_value"])
        assert opposite[own["verdict"]] == other["verdict"]  # type: ignore[index]  # a verdict is a text or None
