"""A small table in CDC's columns, the requests that can be made of it, and what each has to answer.

The answers come from the naive reference in ``tests/reference.py``, never from the code under test.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.reference import CONTRACT, CONTRACT_DIRECTIONS, Row, read_rows
from tests.unit.survey.tables import HEADER

LOCATIONS = ("Alabama", "Guam", "National", "Ohio", "Utah", "Virgin Islands", "Wyoming")
STRATA = (("Total", "Total"), ("Age (years)", "18 - 24"), ("Sex", "Male"))
QUESTIONS = tuple(sorted(CONTRACT_DIRECTIONS))[:4]
YEARS = (2021, 2022, 2023)


class Request(NamedTuple):
    """A request of the contract and the ``data`` that it has to give."""

    endpoint: str
    body: bytes
    expected: object


def write_table(path: Path, *, shift: float = 0.0) -> Path:
    """Write the table; every value is raised by ``shift``, so that two versions have no answer in common."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        keys = [(q, place, year, s) for q in QUESTIONS for place in LOCATIONS for year in YEARS for s in STRATA]
        for i, (question, place, year, (category, stratum)) in enumerate(keys):
            value = round(15 + (i * 37 % 401) / 10 + shift, 1)
            question_id, place_id = f"Q{QUESTIONS.index(question):03}", f"{LOCATIONS.index(place):02}"
            low, high = round(value - 1.5, 1), round(value + 1.5, 1)
            names = (year, place[:2].upper(), place, question)
            writer.writerow([*names, value, "", "", low, high, 500, question_id, place_id, category, stratum])
    return path


def requests_for(path: Path) -> list[Request]:
    """Return every request that can be made of a table, with its expected answer."""
    rows = read_rows(path)
    made = []
    for endpoint in CONTRACT:
        places = LOCATIONS if endpoint.startswith("state_") else [None]
        for question in QUESTIONS:
            for place in places:
                fields = {"question": question} | ({"state": place} if place else {})
                made.append(Request(endpoint, json.dumps(fields).encode(), _expected(rows, endpoint, fields)))
    return made


def _expected(rows: Sequence[Row], endpoint: str, fields: dict[str, str]) -> object:
    answer: object = CONTRACT[endpoint](rows, **fields)
    return answer


def same(expected: object, seen: object) -> bool:
    """Whether two answers agree: the same keys in the same order, floats to 1e-9."""
    if isinstance(expected, dict):
        return (
            isinstance(seen, dict)
            and list(expected) == list(seen)
            and all(same(value, seen[key]) for key, value in expected.items())
        )
    if isinstance(expected, float):
        return isinstance(seen, float) and math.isclose(expected, seen, rel_tol=1e-9, abs_tol=1e-9)
    return expected == seen
