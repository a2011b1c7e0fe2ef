"""The rollup: estimates of any frame -> cells with mergeable aggregates, one narwhals expression for every engine.

Products are columns of their own before they are summed, since not every engine takes arithmetic inside an
aggregate. The squared deviations come from the engine's variance, which all engines compute without subtracting
large sums. What a row's texts and numbers are is decided in ``reading/estimate_rows.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import narwhals as nw

from meantime.survey.questions import Z_95
from meantime.survey.reading.columns import ColumnMap, Role

if TYPE_CHECKING:
    from meantime.survey.reading.engines import Frame

_CDC_PERCENT = 95.0

TEXT_KEYS = ("question", "location", "category", "stratum")
"""With the year, the place of a cell."""

ATTRIBUTES = (Role.QUESTION_ID, Role.UNIT, Role.VALUE_TYPE, Role.ABBREVIATION, Role.FIPS)
"""Texts that belong to a question or location; the greatest of a cell's is kept."""

_ONE_TO_A_NAME = (Role.UNIT, Role.VALUE_TYPE, Role.ABBREVIATION, Role.FIPS)

COUNTS = (
    "row_count", "value_count", "variance_count", "precision_count", "sample_count", "sample_variance_count",
    "footnote_count",
)  # fmt: skip
SUMS = (
    "value_sum", "value_m2", "variance_sum", "precision_sum", "precision_value_sum", "sample_size_sum",
    "sample_value_sum", "sample_variance_sum",
)  # fmt: skip
EXTREMES = ("value_min", "value_max", "low", "high")


def rollup(rows: Frame, columns: ColumnMap, confidence_percent: float = 95.0, *, pool: bool = False) -> Frame:
    """Return one row for each cell, in no order.

    Parameters
    ----------
    rows
        What `estimate_rows` returns.
    columns
        Says which attributes the source has; the others aren't compared row by row.
    confidence_percent
        The level of the source's limits and margins of error. Limits of another level than 95 % become those of 95 %,
        each side for itself.
    pool
        Whether rows that share a cell are taken as estimates of one thing from the same people: a cell is then as
        precise as one of them, and not as their number. Else sums are what they are of independent estimates, which
        is right where each cell has one row.

    Returns
    -------
    Frame
        Columns ``TEXT_KEYS``, ``year`` (float, 0 where a row had none), ``ATTRIBUTES``, ``COUNTS``, ``SUMS``,
        ``EXTREMES`` (NaN where no row had one), ``footnote_first`` and ``footnote_last`` in alphabetical order.
        Without nulls. With ``pool`` also ``mixed_count``: how many of a cell's units, types of values, abbreviations
        and codes are several.
        A row's standard error is the stated one, else its margin's, else its limits'. Limits in the wrong order or
        apart from their value are not used, nor are sample sizes that aren't above 0 and standard errors below 0.
    """
    rows = _at_95_percent(rows, confidence_percent)
    value, size = nw.col("value"), nw.col("sample_size")
    has_value = ~value.is_null()
    with_error = rows.with_columns(
        year=nw.col("year").fill_null(0.0),
        se=nw.when(has_value).then(_standard_error(columns)),
        n=nw.when(has_value & (size > 0)).then(size),
        low=nw.when(has_value).then(nw.col("low")),
        high=nw.when(has_value).then(nw.col("high")),
    ).with_columns(variance=nw.col("se") * nw.col("se"))
    products = with_error.with_columns(
        precision=nw.when(nw.col("variance") > 0).then(1.0 / nw.col("variance")),
        n_value=nw.col("n") * value,
        n_variance=nw.col("n") * nw.col("n") * nw.col("variance"),
    ).with_columns(precision_value=nw.col("precision") * value)
    least = {f"{role}_least": nw.col(role).min() for role in _ONE_TO_A_NAME if role in columns.recipes}
    grouped = products.group_by(*TEXT_KEYS, "year").agg(
        *(nw.col(role).max() for role in ATTRIBUTES if role in columns.recipes),
        row_count=nw.len(),
        value_count=value.count(),
        value_sum=value.sum(),
        value_variance=value.var(ddof=0),
        value_min=value.min(),
        value_max=value.max(),
        low=nw.col("low").min(),
        high=nw.col("high").max(),
        variance_count=nw.col("variance").count(),
        variance_sum=nw.col("variance").sum(),
        precision_count=nw.col("precision").count(),
        precision_sum=nw.col("precision").sum(),
        precision_value_sum=nw.col("precision_value").sum(),
        sample_count=nw.col("n").count(),
        sample_size_sum=nw.col("n").sum(),
        sample_value_sum=nw.col("n_value").sum(),
        sample_variance_count=nw.col("n_variance").count(),
        sample_variance_sum=nw.col("n_variance").sum(),
        footnote_count=nw.col("footnote").count(),
        footnote_first=nw.col("footnote").min(),
        footnote_last=nw.col("footnote").max(),
        **(least if pool else {}),
    )
    return _without_nulls(_dependent(grouped, tuple(least)) if pool else grouped, columns)


def _dependent(grouped: Frame, least: Sequence[str]) -> Frame:
    """Replace the sums of independent estimates by those of estimates that come from the same people.

    Then SE(sum) may be sum SE, and (sum SE)^2 <= k sum SE^2 (Cauchy and Schwarz): k times the variance that k
    independent estimates would have. A cell has the mean of its samples' sizes.
    """
    mixed = [nw.col(name) != nw.col(name.removesuffix("_least")) for name in least]
    sampled = nw.when(nw.col("sample_count") > 0).then(nw.col("sample_count"))
    precise = nw.when(nw.col("precision_count") > 0).then(nw.col("precision_count"))
    return grouped.with_columns(
        mixed_count=sum((nw.when(each).then(nw.lit(1)).otherwise(nw.lit(0)) for each in mixed), nw.lit(0)),
        variance_sum=nw.col("variance_sum") * nw.col("variance_count"),
        precision_sum=nw.col("precision_sum") / precise,
        precision_value_sum=nw.col("precision_value_sum") / precise,
        sample_size_sum=nw.col("sample_size_sum") / sampled,
        sample_value_sum=nw.col("sample_value_sum") / sampled,
        sample_variance_sum=nw.col("sample_variance_sum") * nw.col("sample_variance_count") / (sampled * sampled),
    ).drop(*least)


def _at_95_percent(rows: Frame, confidence_percent: float) -> Frame:
    """Return rows whose limits and margins of error are those of 95 %."""
    if confidence_percent == _CDC_PERCENT:
        return rows
    from statistics import NormalDist  # which few tables need

    factor, value = Z_95 / NormalDist().inv_cdf(0.5 + confidence_percent / 200), nw.col("value")
    return rows.with_columns(
        low=value - (value - nw.col("low")) * factor,
        high=value + (nw.col("high") - value) * factor,
        margin_of_error=nw.col("margin_of_error") * factor,
    )


def _standard_error(columns: ColumnMap) -> nw.Expr:
    value, low, high = nw.col("value"), nw.col("low"), nw.col("high")
    # Differences that aren't below 0: what is no number must reach the sums and be noticed there.
    is_unusable = (high - low < 0) | (value - low < 0) | (high - value < 0)
    found: nw.Expr = nw.when(~is_unusable).then((high - low) / (2 * Z_95))
    for role, divisor in ((Role.MARGIN_OF_ERROR, Z_95), (Role.STANDARD_ERROR, 1.0)):
        if role in columns.recipes:
            stated = nw.col(role)
            found = nw.when(~stated.is_null() & ~(stated < 0)).then(stated / divisor).otherwise(found)
    return found


def _without_nulls(grouped: Frame, columns: ColumnMap) -> Frame:
    single = nw.col("row_count") == 1
    finished = grouped.with_columns(
        value_m2=nw.col("value_variance") * nw.col("value_count"),
        low=nw.when(single).then(nw.col("low")),
        high=nw.when(single).then(nw.col("high")),
    ).drop("value_variance")
    return finished.with_columns(
        *(nw.col(name).cast(nw.Int32) for name in COUNTS),
        *(nw.col(name).fill_null(0.0) for name in SUMS),
        *(nw.col(name).fill_null(float("nan")) for name in EXTREMES),
        *(nw.col(name).fill_null("") for name in ("footnote_first", "footnote_last")),
        *(nw.lit(columns.fixed.get(role, "")).alias(role) for role in ATTRIBUTES if role not in columns.recipes),
    )


def distinct(rows: Frame, *columns: str) -> Frame:
    """Return the combinations of texts that some columns have, each once."""
    return rows.group_by(*columns).agg(row_count=nw.len().cast(nw.Int32)).select(*columns)


def footnote_counts(cells: Frame) -> Frame:
    """Return first and last footnote and their rows, for each pair; only where the two are one is the count exact."""
    return cells.group_by("footnote_first", "footnote_last").agg(nw.col("footnote_count").sum().cast(nw.Int32))


def exact_footnote_counts(rows: Frame) -> Frame:
    """Return first and last footnote, which are one, and their rows, read from the source once more."""
    counted = rows.filter(~nw.col("footnote").is_null()).group_by("footnote").agg(footnote_count=nw.len())
    return counted.select(
        footnote_first="footnote", footnote_last="footnote", footnote_count=nw.col("footnote_count").cast(nw.Int32)
    )
