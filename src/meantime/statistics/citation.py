"""Where a result comes from and how to get it again: the ``provenance`` of an answer.

A pure function of the dataset version and the request: no time, no host. So it can be part of the stored result.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict

import orjson

from meantime.statistics.requests import canonical_json
from meantime.statistics.statistic import Statistic
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.provenance import Provenance

SERVER_URL = "http://127.0.0.1:5000"
"""The server in the commands: where ``meantime serve`` is, unless told otherwise."""


def provenance_of(dataset: Dataset, request: Statistic) -> dict[str, object]:
    """Return everything that a reader needs to cite a result and to reproduce it.

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
        parameters with every default written out), ``method`` (name and version), ``citation`` (a line of text) and
        ``reproduce`` (commands for curl, Python and R).
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
        "citation": f"{_cite(dataset.provenance)} Statistic {request.name} ({method}), computed with Meantime.",
        "reproduce": _commands(f"{SERVER_URL}/api/v1/datasets/{dataset.name}/jobs", asked),
    }


def _cite(source: Provenance) -> str:
    """Return a citation of the data: publisher, title, id, export, address, checksum; what is known of them.

    >>> _cite(Provenance("CDC", "A survey", "x-1", "x.csv", "ab" * 32, export_date="2025-09-06"))
    'CDC. A survey (x-1), export of 2025-09-06. SHA-256 abababababab...'
    """
    title = source.title or source.source_name
    title += f" ({source.dataset_id})" if source.dataset_id else ""
    title += f", export of {source.export_date}" if source.export_date else ""
    checksum = f"SHA-256 {(source.export_sha256 or source.source_sha256)[:12]}..."
    return " ".join(f"{part}." for part in (source.publisher, title, source.url) if part) + f" {checksum}"


def _commands(url: str, request: Mapping[str, object]) -> dict[str, str]:
    """Return the request as commands that can be pasted; the answer holds the result."""
    body = json.dumps(request, ensure_ascii=False)
    return {
        "curl": f"curl -s {url} -H 'Prefer: wait=5' -H 'Content-Type: application/json' -d {shlex.quote(body)}",
        "python": (
            "import requests\n"
            f'answer = requests.post("{url}", headers={{"Prefer": "wait=5"}}, json={request!r}, timeout=60)\n'
            'result = answer.json()["result"]'
        ),
        "r": (
            "library(httr2)\n"
            f'answer <- request("{url}") |> req_headers(Prefer = "wait=5") |>\n'
            f'  req_body_raw(r"---({body})---", type = "application/json") |> req_perform()\n'
            "result <- resp_body_json(answer)$result"
        ),
    }
