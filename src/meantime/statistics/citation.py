"""Where a result comes from and what was asked, the ``provenance`` of an answer; and what its ``notes`` are.

A pure function of the dataset version and the request: no time, no host. So it can be part of the stored result.
"""

from __future__ import annotations

from dataclasses import asdict

import orjson

from meantime.statistics.requests import canonical_json
from meantime.statistics.statistic import Statistic
from meantime.survey.ingest.dataset import Dataset


def provenance_of(dataset: Dataset, request: Statistic) -> dict[str, object]:
    """Return everything that a reader needs to cite a result and to ask for it again.

    Parameters
    ----------
    dataset
        The dataset version that was asked.
    request
        The settled request; a parameter that is None was left out.

    Returns
    -------
    dict
        JSON-able: ``dataset`` (publisher, title, id, dates, checksums, version), ``request`` (the statistic and its
        parameters with every default written out), ``method`` (name and version) and ``citation`` (a line of text).
    """
    arguments: dict[str, object] = orjson.loads(canonical_json(request))
    parameters = {name: value for name, value in arguments.items() if value is not None}
    asked = {"statistic": request.name, "parameters": parameters}
    source = {name: value for name, value in asdict(dataset.provenance).items() if value}
    method = request.versioned_method()
    return {
        "dataset": {"name": dataset.name, "version": dataset.version, **source},
        "request": asked,
        "method": method,
        "citation": f"{dataset.provenance.citation} Statistic {request.name} ({method}), computed with Meantime.",
    }


def notes_on(dataset: Dataset, request: Statistic) -> list[dict[str, object]]:
    """Return the notes on a table that touch the cells which a settled request selects, as JSON-able values."""
    found = [note for note in dataset.notes_on_answers if request.touches(note, dataset.cube)]
    return [{"kind": each.kind, "text": each.text, "count": each.count, "lines": list(each.lines)} for each in found]
