"""The addresses of answers: the canonical one of a request, live or of one version of a dataset.

Equal requests have equal addresses, whatever the spelling in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from meantime.fields.fields import write_query_fields
from meantime.statistics.statistic import Statistic
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.dataset import Dataset

ANSWERS_PATH = "/api/v1/answers"

_AS_THEY_ARE = ",:$"
"""Characters that a query string may hold and that people read more easily so."""


@dataclass(frozen=True, slots=True)
class AnswerAddress:
    """Where the answer to a request is.

    ``path`` has no extension; ``pairs`` are the query's.
    """

    path: str
    pairs: Sequence[tuple[str, str]]

    def url(self, extension: str | None = None) -> str:
        """Return the address, of one form of the answer if there is an extension."""
        query = urlencode(self.pairs, quote_via=quote, safe=_AS_THEY_ARE)
        path = self.path if extension is None else f"{self.path}.{extension}"
        return f"{path}?{query}" if query else path


def live_address(prefix: str, asked: Statistic, cube: SurveyCube, dataset: str | None) -> AnswerAddress:
    """Return the address that follows a dataset: what was asked for, and no default.

    Parameters
    ----------
    prefix
        The path below which the server is mounted.
    asked
        The request, not settled.
    cube
        The dataset's.
    dataset
        The name in the path; None for the default dataset.
    """
    return AnswerAddress(_path(prefix, asked, dataset), write_query_fields(asked, cube))


def frozen_address(prefix: str, settled: Statistic, dataset: Dataset) -> AnswerAddress:
    """Return the address of one version's answer, with every default that depends on the data written out."""
    pairs = [*write_query_fields(settled, dataset.cube), ("version", dataset.version)]
    return AnswerAddress(_path(prefix, settled, dataset.name), pairs)


def _path(prefix: str, asked: Statistic, dataset: str | None) -> str:
    below = ANSWERS_PATH if dataset is None else f"/api/v1/datasets/{quote(dataset)}/answers"
    return f"{prefix}{below}/{asked.name}"
