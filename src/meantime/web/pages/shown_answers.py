"""An answer as a page shows it: its records, its charts, and everything that a reader may take along.

Pages ask for answers as addresses do, so all that a page shows is also data at the addresses that it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from meantime.charts import KINDS, kinds_for
from meantime.errors import (
    InvalidParameterError,
    NoPlaceError,
    NoResultError,
    QueueFullError,
    ShuttingDownError,
    StatisticError,
    StoreError,
)
from meantime.formats.result_formats import FORMATS
from meantime.jobs.job import Job
from meantime.service import MeantimeService, task_for
from meantime.statistics.catalogue import Surface, find_statistic
from meantime.statistics.requests import read_parameters
from meantime.statistics.result import Record
from meantime.statistics.statistic import Statistic
from meantime.survey.ingest.dataset import Dataset
from meantime.web.own_address import own_prefix
from meantime.web.v1.answer_addresses import AnswerAddress, frozen_address, live_address
from meantime.web.v1.known_answers import KnownAnswers


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One answer on a page.

    ``document`` is the result as it is stored; without an answer it is empty, and ``reason`` says why there is none,
    and ``job_number`` which job goes on with it.
    ``live`` follows the dataset, ``frozen`` is this version's. ``charts`` are the kinds that fit, the default first.
    """

    statistic: str
    document: Mapping[str, object]
    live: AnswerAddress
    frozen: AnswerAddress
    charts: Sequence[str] = ()
    reason: str = ""
    job_number: int | None = None

    @property
    def records(self) -> Sequence[Record]:
        """The records; none without an answer."""
        found = self.document.get("records")
        return found if isinstance(found, list) else []

    @property
    def cautions(self) -> Sequence[str]:
        """What a reader must know before trusting a number."""
        found = self.document.get("cautions")
        return found if isinstance(found, list) else []

    @property
    def citation(self) -> str:
        """The source in a line."""
        provenance = self.document.get("provenance")
        return str(provenance.get("citation", "")) if isinstance(provenance, Mapping) else ""

    @property
    def downloads(self) -> Mapping[str, str]:
        """The addresses of the answer's forms, by their extension."""
        return {name: self.live.url(name) for name in FORMATS}

    def picture(self, kind: str, form: str = "svg", theme: str = "light") -> str:
        """Return the address of a chart of this answer as a picture."""
        more = [("chart", kind)] + ([("theme", theme)] if theme != "light" else [])
        return AnswerAddress(self.live.path, [*self.live.pairs, *more]).url(form)

    def title_of(self, kind: str) -> str:
        """Return the title of a kind of chart."""
        return KINDS[kind].title


_NOT_NOW = (StatisticError, NoResultError, QueueFullError, ShuttingDownError, StoreError, NoPlaceError)
"""Why there may be no answer to a request that is fine; a page goes on without it, and says so."""


class ShownAnswers:
    """Finds answers for pages.

    Parameters
    ----------
    service
        What answers.
    known
        Finds the results.
    """

    def __init__(self, service: MeantimeService, known: KnownAnswers) -> None:
        self._service = service
        self._known = known

    def of(self, statistic: str, parameters: Mapping[str, object], dataset: Dataset) -> ShownAnswer | None:
        """Return an answer about a dataset; None where the dataset can't be asked this.

        An answer that isn't there in time, or at all, says so in its ``reason``.
        """
        found = find_statistic(statistic, surface=Surface.V1)
        try:
            return self.answer_to(read_parameters(found, dataset.cube, parameters), dataset)
        except InvalidParameterError:
            return None

    def answer_to(self, asked: Statistic, dataset: Dataset) -> ShownAnswer:
        """Return the answer to a request that isn't settled yet; else as ``of``.

        Raises
        ------
        InvalidParameterError
            The fields don't fit each other, or the data.
        """
        settled = asked.settled(dataset.cube)
        is_default = dataset.name == self._service.dataset().name
        live = live_address(own_prefix(), asked, dataset.cube, None if is_default else dataset.name)
        frozen = frozen_address(own_prefix(), settled, dataset)
        try:
            result, _ = self._known.of(task_for(settled, dataset))
        except _NOT_NOW as error:
            return ShownAnswer(asked.name, {}, live, frozen, reason=str(error))
        if isinstance(result, Job):
            reason = "this takes longer than usual; load the page again"
            return ShownAnswer(asked.name, {}, live, frozen, reason=reason, job_number=result.number)
        document = orjson.loads(result.content)
        return ShownAnswer(asked.name, document, live, frozen, kinds_for(document, asked.name))
