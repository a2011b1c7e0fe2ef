"""The mean agrees with the naive reference on any table, and keeps the laws of pooling."""

from __future__ import annotations

import random

from hypothesis import assume, given
from hypothesis import strategies as st

from tests import reference_estimates as reference
from tests.agreement import disagreement
from tests.asking import agree, query_of, records_of_rows
from tests.reference import Row
from tests.reference_estimates import Options
from tests.tables import OBESITY, STRENGTH, everything, tables, without_limits_at_the_ends

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
    for one, other in zip(apart, together, strict=True):
        if weights == "inverse_variance" and other["sample_size"] is None:
            one["sample_size"] = None  # whose persons have a weight isn't known of a cell of several estimates
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
