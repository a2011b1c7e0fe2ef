"""The naive reference: every statistic in plain Python over rows, with ``csv`` and ``math.fsum`` alone.

It is written from the contract and the issue, row by row and without regard to speed. It never imports numpy, nor
anything of Meantime, so that it can't share a mistake with the code under test.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

LOWER = "lower_is_better"
HIGHER = "higher_is_better"

_MINUTES_150 = (
    "Percent of adults who achieve at least 150 minutes a week of moderate-intensity aerobic physical activity"
    " or 75 minutes a week of vigorous-intensity aerobic"
)
OVERWEIGHT = "Percent of adults aged 18 years and older who have an overweight classification"
CONTRACT_DIRECTIONS = {
    OVERWEIGHT: LOWER,
    "Percent of adults aged 18 years and older who have obesity": LOWER,
    "Percent of adults who engage in no leisure-time physical activity": LOWER,
    "Percent of adults who report consuming fruit less than one time daily": LOWER,
    "Percent of adults who report consuming vegetables less than one time daily": LOWER,
    f"{_MINUTES_150} activity (or an equivalent combination)": HIGHER,
    f"{_MINUTES_150} physical activity and engage in muscle-strengthening activities on 2 or more days a week": HIGHER,
    "Percent of adults who achieve at least 300 minutes a week of moderate-intensity aerobic physical activity"
    " or 150 minutes a week of vigorous-intensity aerobic activity (or an equivalent combination)": HIGHER,
    "Percent of adults who engage in muscle-strengthening activities on 2 or more days a week": HIGHER,
}
"""The contract's table: which end of each question is better."""

DIRECTIONS = {text: direction for text, direction in CONTRACT_DIRECTIONS.items() if text != OVERWEIGHT}
"""Which end is better outside the contract: overweight without obesity falls where obesity rises, so it has none."""

_NEW_WORDS = {"fruit less": 2017, "vegetables less": 2017, "150 minutes a week": 2023, "300 minutes a week": 2023}
BREAKS = {
    text: (2011, *sorted({year for words, year in _NEW_WORDS.items() if words in text})) for text in CONTRACT_DIRECTIONS
}
"""The years from which on each question's estimates can't be compared with earlier ones, by CDC's documents."""

TERRITORIES = ("Guam", "Puerto Rico", "Virgin Islands")

STRATUM_ORDERS = {
    category: {stratum: place for place, stratum in enumerate(strata)}
    for category, strata in {
        "Age (years)": ("18 - 24", "25 - 34", "35 - 44", "45 - 54", "55 - 64", "65 or older"),
        "Education": (
            "Less than high school",
            "High school graduate",
            "Some college or technical school",
            "College graduate",
        ),
        "Income": (
            "Less than $15,000",
            "$15,000 - $24,999",
            "$25,000 - $34,999",
            "$35,000 - $49,999",
            "$50,000 - $74,999",
            "$75,000 or greater",
        ),
    }.items()
}
"""The ordered categories: stratum to its place on the scale."""


class Row(NamedTuple):
    """One row of a table of estimates."""

    question: str
    question_id: str
    location: str
    abbreviation: str
    year: int
    category: str
    stratum: str
    value: float | None
    low: float | None
    high: float | None
    sample_size: float | None


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
            yield io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    elif path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file


def _number(text: str | None) -> float | None:
    text = (text or "").strip()
    return float(text) if text else None


def read_rows(path: Path) -> list[Row]:
    """Read the rows of one of CDC's files, plain, gzipped or zipped."""
    with _opened(path) as file:
        reader = csv.DictReader(file)
        high = next(name for name in reader.fieldnames or () if name.strip() == "High_Confidence_Limit")
        return [
            Row(
                question=record["Question"],
                question_id=record["QuestionID"],
                location=record["LocationDesc"],
                abbreviation=record["LocationAbbr"],
                year=int(record["YearStart"]),
                category=record["StratificationCategory1"],
                stratum=record["Stratification1"],
                value=_number(record["Data_Value"]),
                low=_number(record["Low_Confidence_Limit"]),
                high=_number(record[high]),
                sample_size=_number(record["Sample_Size"]),
            )
            for record in reader
        ]


def mean_of(values: Iterable[float]) -> float:
    """Return the plain mean."""
    values = list(values)
    return math.fsum(values) / len(values)


# --- the nine statistics of the contract


def _values(rows: Iterable[Row], question: str, location: str | None = None) -> list[float]:
    return [
        row.value
        for row in rows
        if row.question == question and row.value is not None and location in (None, row.location)
    ]


def states_mean(rows: Sequence[Row], question: str) -> dict[str, float]:
    """Return location to mean, ascending, ties by name."""
    groups: dict[str, list[float]] = {}
    for row in rows:
        if row.question == question and row.value is not None:
            groups.setdefault(row.location, []).append(row.value)
    means = {location: mean_of(values) for location, values in groups.items()}
    return dict(sorted(means.items(), key=lambda item: (round(item[1], 9), item[0])))


def state_mean(rows: Sequence[Row], question: str, state: str) -> dict[str, float | None]:
    """Return the mean of one location, or None."""
    values = _values(rows, question, state)
    return {state: mean_of(values) if values else None}


def best5(rows: Sequence[Row], question: str) -> dict[str, float]:
    """Return the five best, best first."""
    return _extremes(rows, question, lowest=CONTRACT_DIRECTIONS[question] == LOWER)


def worst5(rows: Sequence[Row], question: str) -> dict[str, float]:
    """Return the five worst, worst first."""
    return _extremes(rows, question, lowest=CONTRACT_DIRECTIONS[question] == HIGHER)


def _extremes(rows: Sequence[Row], question: str, *, lowest: bool) -> dict[str, float]:
    sign = 1 if lowest else -1
    means = states_mean(rows, question)
    return dict(sorted(means.items(), key=lambda item: (round(sign * item[1], 9), item[0]))[:5])


def global_mean(rows: Sequence[Row], question: str) -> dict[str, float]:
    """Return the mean over rows."""
    return {"global_mean": mean_of(_values(rows, question))}


def diff_from_mean(rows: Sequence[Row], question: str) -> dict[str, float]:
    """Return global mean minus location mean."""
    overall = global_mean(rows, question)["global_mean"]
    return {location: overall - mean for location, mean in states_mean(rows, question).items()}


def state_diff_from_mean(rows: Sequence[Row], question: str, state: str) -> dict[str, float | None]:
    """Return global mean minus the mean of one location, or None."""
    mean = state_mean(rows, question, state)[state]
    return {state: None if mean is None else global_mean(rows, question)["global_mean"] - mean}


def mean_by_category(rows: Sequence[Row], question: str) -> dict[str, float]:
    """Return the text of (location, category, stratum) to mean, in order of the three."""
    groups: dict[tuple[str, str, str], list[float]] = {}
    for row in rows:
        if row.question == question and row.value is not None and row.category and row.stratum:
            groups.setdefault((row.location, row.category, row.stratum), []).append(row.value)
    return {str(key): mean_of(values) for key, values in sorted(groups.items())}


def state_mean_by_category(rows: Sequence[Row], question: str, state: str) -> dict[str, dict[str, float]]:
    """Return the text of (category, stratum) to mean for one location; empty when it has no value."""
    groups: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        is_keyed = row.question == question and row.location == state and row.category and row.stratum
        if is_keyed and row.value is not None:
            groups.setdefault((row.category, row.stratum), []).append(row.value)
    return {state: {str(key): mean_of(values) for key, values in sorted(groups.items())}}


CONTRACT = {
    function.__name__: function
    for function in (
        states_mean,
        state_mean,
        best5,
        worst5,
        global_mean,
        diff_from_mean,
        state_diff_from_mean,
        mean_by_category,
        state_mean_by_category,
    )
}
"""Endpoint name to reference; call with the rows and the fields of the request."""
