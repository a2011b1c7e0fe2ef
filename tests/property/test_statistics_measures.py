"""Ranking, trend, disparity, distribution, correlation and coverage agree with the naive reference on any table."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from tests import reference_comparisons, reference_measures
from tests.asking import agree, query_of, records_of_rows
from tests.reference import Row
from tests.reference_estimates import Options
from tests.reference_measures import SIMULATED
from tests.reference_trends import trend
from tests.tables import OBESITY, STRENGTH, everything, tables, without_limits_at_the_ends

WEIGHTS = st.sampled_from(("none", "sample_size", "inverse_variance"))
SCALES = st.sampled_from(("linear", "logit"))
LEVELS = st.sampled_from((0.95, 0.9, 0.5, 0.999))
KINDS = st.sampled_from(("joint", "non_overlap", "pairwise"))
EDUCATION = (
    ("Education", "Less than high school"),
    ("Education", "High school graduate"),
    ("Education", "College graduate"),
    ("Total", "Total"),
)
RACE = (("Race/Ethnicity", "Asian"), ("Race/Ethnicity", "Hispanic"), ("Race/Ethnicity", "Other"), ("Total", "Total"))


@given(
    tables(questions=(STRENGTH, OBESITY)),
    st.sampled_from((OBESITY, STRENGTH)),
    st.integers(1, 7),
    st.sampled_from(("best", "worst", "highest", "lowest")),
    st.builds(Options, weights=WEIGHTS, scale=SCALES, level=LEVELS),
    KINDS,
)
def test_ranking_agrees_with_the_reference(
    rows: list[Row], question: str, k: int, end: str, options: Options, kind: str
) -> None:
    asked = everything(rows, question) | {"k": k, "end": end, "rank_intervals": kind}
    asked |= {"weights": options.weights, "scale": options.scale, "level": options.level}
    expected = reference_comparisons.ranking(rows, query_of(rows, question), k, end, options, kind)
    agree(records_of_rows("ranking", rows, asked), expected)


@given(tables(segments=(("Total", "Total"),)), LEVELS, KINDS)
def test_rank_intervals_contain_their_rank_and_all_locations_fit(rows: list[Row], level: float, kind: str) -> None:
    found = records_of_rows("ranking", rows, everything(rows) | {"k": 100, "level": level, "rank_intervals": kind})
    for record in found:
        rank, low, high = record["rank"], record["rank_low"], record["rank_high"]
        assert isinstance(rank, int)
        assert isinstance(low, int)
        assert isinstance(high, int)
        assert 1 <= low <= rank <= high <= len(found)


@given(
    tables(questions=(STRENGTH, OBESITY)),
    st.lists(st.sampled_from(("location", "category", "stratum")), unique=True),
    WEIGHTS,
    SCALES,
    LEVELS,
    st.sampled_from(("apart", "cross")),
    st.sampled_from(("none", "holm", "bh")),
    st.sets(st.integers(2005, 2025), max_size=2),
)
def test_trend_agrees_with_the_reference(
    rows: list[Row],
    by: list[str],
    weights: str,
    scale: str,
    level: float,
    breaks: str,
    adjust: str,
    cuts: set[int],
) -> None:
    query = query_of(rows, OBESITY)
    assume(len(query.years) >= 2)
    asked = everything(rows) | {"by": by, "weights": weights, "scale": scale, "level": level}
    break_years = sorted(cut for cut in cuts if min(query.years) < cut <= max(query.years))
    asked |= {"breaks": breaks, "adjust": adjust, "break_years": break_years}
    options = Options(weights=weights, scale=scale, level=level)
    expected = trend(rows, query, by, options, crosses=breaks == "cross", adjust=adjust, break_years=break_years)
    agree(records_of_rows("trend", rows, asked), expected)


@given(tables(segments=(("Total", "Total"),)), st.integers(-30, 30))
def test_raising_every_year_by_the_same_step_raises_the_slope_by_that_step(rows: list[Row], step: int) -> None:
    rows = without_limits_at_the_ends(rows)
    shifted = [_moved(row, step * (row.year - 2009) / 100) for row in rows]
    assume(len({row.year for row in rows}) >= 2)
    asked = everything(rows) | {"scale": "linear", "breaks": "cross"}
    before, after = (records_of_rows("trend", table, asked) for table in (rows, shifted))
    for own, other in zip(before, after, strict=True):
        if isinstance(own["value"], float) and isinstance(other["value"], float):
            assert abs(other["value"] - own["value"] - step / 100) < 1e-6


def _moved(row: Row, by: float) -> Row:
    value, low, high = (None if own is None else own + by for own in (row.value, row.low, row.high))
    return row._replace(value=value, low=low, high=high)


@given(tables(questions=(OBESITY, STRENGTH), segments=EDUCATION), st.sampled_from((OBESITY, STRENGTH)), SCALES, LEVELS)
def test_disparity_of_an_ordered_category_agrees_with_the_reference(
    rows: list[Row], question: str, scale: str, level: float
) -> None:
    _check_disparity(rows, question, "best", scale, level)


@given(tables(segments=EDUCATION), st.lists(st.floats(1, 1000), min_size=3, max_size=3))
def test_disparity_by_shares_of_people_agrees_with_the_reference(rows: list[Row], sizes: list[float]) -> None:
    people = dict(zip([stratum for _, stratum in EDUCATION[:3]], sizes, strict=True))
    _check_disparity(rows, OBESITY, "best", "linear", 0.95, people)


@given(tables(segments=RACE), st.data(), SCALES, LEVELS)
def test_disparity_of_an_unordered_category_agrees_with_the_reference(
    rows: list[Row], data: st.DataObject, scale: str, level: float
) -> None:
    strata = sorted({row.stratum for row in rows if row.category != "Total"})
    _check_disparity(rows, OBESITY, data.draw(st.sampled_from(("best", "others", *strata))), scale, level)


def _check_disparity(
    rows: list[Row], question: str, reference: str, scale: str, level: float, people: dict[str, float] | None = None
) -> None:
    query = query_of(rows, question)
    asked_for = [segment for segment in query.segments if segment[0] != "Total"]
    possible = {(row.category, row.stratum) for row in rows if row.question == question}
    segments = tuple(segment for segment in asked_for if segment in possible)
    assume(len(segments) >= 2)
    asked = everything(rows, question) | {"categories": [segments[0][0]], "scale": scale, "level": level}
    asked |= {"strata": [stratum for _, stratum in asked_for], "reference": reference}
    options = Options(scale=scale, level=level)
    if people is not None:
        asked["shares"] = [{"stratum": stratum, "share": people[stratum]} for _, stratum in segments]
    expected = reference_measures.disparity(rows, query._replace(segments=segments), reference, options, people)
    found = records_of_rows("disparity", rows, asked)
    has_gap = any(isinstance(count := record["strata_count"], int) and count >= 2 for record in expected)
    computed = [{name: own for name, own in record.items() if name not in SIMULATED} for record in found]
    agree(computed, expected if has_gap else [])
    for record in found:
        for value_name, names in NEVER_NEGATIVE.items():
            low, value, high = (record[name] for name in (names.format("low"), value_name, names.format("high")))
            if isinstance(low, float) and isinstance(value, float) and isinstance(high, float):
                assert 0 <= low <= value + 1e-4 * max(1.0, value)
                assert value <= high + 1e-4 * max(1.0, value)


NEVER_NEGATIVE = {
    "value": "{}",
    "index_of_disparity_percent": "index_of_disparity_{}",
    "between_group_variance": "between_group_variance_{}",
}


@given(
    tables(questions=(STRENGTH, OBESITY)),
    st.lists(st.sampled_from(("location", "year", "category", "stratum")), unique=True),
    st.lists(st.integers(0, 20).map(lambda twentieth: twentieth / 20), min_size=1, max_size=4, unique=True),
)
def test_distribution_agrees_with_the_reference(rows: list[Row], by: list[str], quantiles: list[float]) -> None:
    asked = everything(rows) | {"by": by, "quantiles": quantiles}
    expected = reference_measures.distribution(rows, query_of(rows, OBESITY), by, sorted(quantiles))
    agree(records_of_rows("distribution", rows, asked), expected)


@given(tables(questions=(STRENGTH, OBESITY), segments=(("Total", "Total"), ("Sex", "Male"))), LEVELS)
def test_correlation_agrees_with_the_reference(rows: list[Row], level: float) -> None:
    asked = everything(rows) | {"against_question": STRENGTH, "level": level}
    expected = reference_measures.correlation(rows, query_of(rows, OBESITY), STRENGTH, level)
    found = {record["coefficient"]: record for record in records_of_rows("correlation", rows, asked)}
    picked = {name: {field: found[name][field] for field in answer} for name, answer in expected.items()}
    agree(list(picked.values()), list(expected.values()))
    assert set(found) == set(expected)


@given(
    tables(questions=(STRENGTH, OBESITY)),
    st.lists(st.sampled_from(("question", "location", "year", "category", "stratum")), unique=True),
)
def test_coverage_agrees_with_the_reference(rows: list[Row], by: list[str]) -> None:
    asked = everything(rows) | {"question": None, "by": by}
    queries = [query_of(rows, question) for question in sorted({row.question for row in rows})]
    expected = reference_measures.coverage(rows, queries, by)
    fields = ("value", "cells_used", "cells_expected", *reference_measures.REASONS)
    found = records_of_rows("coverage", rows, asked)
    dimensions = {"category", "stratum"} if "stratum" in by else set(by)
    kept = dimensions | set(by)
    agree([{name: record[name] for name in record if name in kept or name in fields} for record in found], expected)
