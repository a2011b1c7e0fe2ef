"""The bundled table, read in the simplest way there is, for peers and for judging answers."""

from __future__ import annotations

import csv
import gzip
from math import fsum

from meantime.survey import bundled_table


def states_means() -> dict[str, dict[str, float]]:
    """Return the mean in percent by question and location, ascending by mean."""
    values: dict[str, dict[str, list[float]]] = {}
    with gzip.open(bundled_table(), "rt", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["Data_Value"]:
                of_question = values.setdefault(row["Question"], {})
                of_question.setdefault(row["LocationDesc"], []).append(float(row["Data_Value"]))
    return {
        question: dict(
            sorted(
                ((location, fsum(numbers) / len(numbers)) for location, numbers in locations.items()),
                key=lambda pair: (pair[1], pair[0]),
            )
        )
        for question, locations in values.items()
    }
