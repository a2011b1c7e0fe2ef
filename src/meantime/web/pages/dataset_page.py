"""What is in a table: questions, places, strata, years; which estimates there are, and what is suppressed.

Counts come from the statistic ``coverage``, as they do for whoever asks for it; nothing is counted here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from flask import Flask, Response, request

from meantime.formats.csv_file import years_text
from meantime.service import MeantimeService
from meantime.statistics.estimation.grouping import CATEGORY, LOCATION, STRATUM, YEAR
from meantime.statistics.measures.grid import ASKED
from meantime.statistics.result import Record
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.questions import Direction, LocationKind
from meantime.web.own_address import own_prefix
from meantime.web.pages.shown_answers import ShownAnswers
from meantime.web.pages.site import page
from meantime.web.shown_commands import ways_to_get
from meantime.web.v1.dataset_documents import DATASETS_PATH, categories_of, questions_of

KINDS = {
    LocationKind.STATE: "States and other places",
    LocationKind.TERRITORY: "Territories",
    LocationKind.NATION: "The nation",
}
DIRECTIONS = {Direction.LOWER_IS_BETTER: "lower is better", Direction.HIGHER_IS_BETTER: "higher is better"}

_ABSENT = ("cells_suppressed", "cells_missing", "cells_not_asked", "cells_not_surveyed")
_BOUNDS = (25, 50, 75, 90)


@dataclass(slots=True)
class CoveredQuestion:
    """How many estimates of a question there are, by year, and why others aren't there."""

    text: str
    by_year: dict[int, Record] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Count a year."""
        if isinstance(year := record.get(YEAR), int):
            self.by_year[year] = record
        for name in ("cells_used", "cells_expected", *_ABSENT):
            count = record[name]
            self.counts[name] = self.counts.get(name, 0) + (count if isinstance(count, int) else 0)


class DatasetPage:
    """The page of a dataset; parameters as of FirstView."""

    def __init__(self, service: MeantimeService, shown: ShownAnswers, *, pictures: bool) -> None:
        self._service = service
        self._shown = shown
        self._pictures = pictures

    def add_to(self, app: Flask) -> None:
        """Register the page."""
        app.add_url_rule("/dataset", "dataset", self.show)

    def show(self) -> Response:
        """Show what is in the dataset that the query names, or in the default one."""
        dataset = self._service.dataset(request.args.get("dataset"))
        cube = dataset.cube
        coverage = self._shown.of("coverage", {"by": [ASKED, YEAR]}, dataset)
        by_place = self._shown.of("coverage", {"by": [LOCATION, YEAR]}, dataset)
        by_stratum = self._shown.of("coverage", {"by": [CATEGORY, STRATUM]}, dataset)
        table = f"{own_prefix()}{DATASETS_PATH}/{quote(dataset.name)}/table"
        at = f"?version={dataset.version}"
        loaded = self._service.figures().loaded_at.get(dataset.name)
        return page(
            "dataset.html",
            current="Dataset",
            dataset=dataset,
            datasets=self._service.datasets(),
            questions=list(zip(cube.questions, questions_of(cube), strict=True)),
            directions=DIRECTIONS,
            years_text=years_text,
            places=_places(dataset),
            categories=categories_of(cube),
            coverage=coverage,
            covered=covered(coverage.records if coverage else ()),
            by_place=by_place,
            by_stratum=by_stratum,
            shade=shade,
            table=table,
            downloads={"Parquet": f"{table}.parquet", "CSV": f"{table}.csv"},
            frozen={"Parquet": f"{table}.parquet{at}", "CSV": f"{table}.csv{at}"},
            commands=ways_to_get(f"{table}.csv{at}", f"{table}.parquet{at}"),
            drift=self._service.latest_drift(dataset.name),
            loaded=None if loaded is None else when(loaded),
            pictures=self._pictures,
        )


def covered(records: Sequence[Record]) -> list[CoveredQuestion]:
    """Return the records of ``coverage`` by question and year as one row a question, in their order."""
    found: dict[str, CoveredQuestion] = {}
    for record in records:
        text = str(record.get(ASKED, ""))
        found.setdefault(text, CoveredQuestion(text)).add(record)
    return list(found.values())


def shade(value: object) -> str:
    """Return the name of the shade of a percentage: the fuller the darker.

    >>> shade(100.0), shade(86.5), shade(0.0), shade(None)
    ('full', 'shade3', 'empty', 'empty')
    """
    if not isinstance(value, float) or value == 0.0:
        return "empty"
    return "full" if value == 100.0 else f"shade{sum(value >= bound for bound in _BOUNDS)}"


def when(moment: float) -> str:
    """Return a time, in seconds since the epoch, for people.

    >>> when(0)
    '1970-01-01 00:00 UTC'
    """
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def _places(dataset: Dataset) -> Mapping[str, list[str]]:
    """Return the names of the locations by what they are called together."""
    named = {
        said: [place.name for place in dataset.cube.locations if place.kind is kind] for kind, said in KINDS.items()
    }
    return {said: names for said, names in named.items() if names}
