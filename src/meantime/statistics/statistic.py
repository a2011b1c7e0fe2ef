"""What a statistic is: a class whose annotated fields are its parameters; an instance is one request for it.

The statistics themselves are in ``measures/``, the table of them in ``catalogue.py``; how a request is read is in
``requests.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from meantime.fields.fields import Field, fields_of, object_schema
from meantime.fields.kinds import JsonSchema, Refer
from meantime.statistics.result import Result
from meantime.survey.cube.survey_cube import SurveyCube

if TYPE_CHECKING:
    from meantime.survey.ingest.notes import Note
    from meantime.survey.ingest.single_estimates import SingleEstimates


class Surface(StrEnum):
    """Where a statistic is offered: the fixed contract, or the v1 surface."""

    CONTRACT = "contract"
    V1 = "v1"


class EstimateSource(Protocol):
    """Where single estimates can be read when cells hold several of them."""

    def single_estimates(
        self,
        question: str,
        years: Sequence[int],
        locations: Sequence[str],
        segments: Sequence[tuple[str, str]],
    ) -> SingleEstimates:
        """Return the values of a question (a text) in these years, locations and (category, stratum) pairs."""
        ...


@dataclass(frozen=True, slots=True)
class StatisticData:
    """What a statistic may use: a cube, and where it is known the source of the estimates behind its cells.

    One that takes long calls ``checkpoint`` between its steps; it raises where the job was cancelled or its time is up.
    """

    cube: SurveyCube
    estimates: EstimateSource | None = None
    checkpoint: Callable[[], None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Statistic(ABC):
    """A request for a statistic; the class is its row in the catalogue.

    A subclass is a frozen dataclass. Its fields, in the order in which arguments are listed, are annotated with a
    kind, a summary, the default in words where its value doesn't say it, and an example; see ``meantime.fields``.
    """

    name: ClassVar[str]
    """The name in routes and requests."""

    title: ClassVar[str]
    """A few words for people."""

    summary: ClassVar[str]
    """One or two sentences for people."""

    surface: ClassVar[Surface] = Surface.V1
    """Where it is offered."""

    unit: ClassVar[str]
    """The unit of its values where the question's own unit is percent."""

    method: ClassVar[str]
    """The name of the method and its version, then what it is; a change of numbers is a new version."""

    example: ClassVar[Mapping[str, object]]
    """Parameters that work on the bundled table."""

    is_drawn_explained: ClassVar[bool] = False
    """Whether its charts show what only ``explain`` adds."""

    documentation: ClassVar[str]
    """The page about the method, below ``docs/``."""

    @classmethod
    def parameters(cls) -> tuple[Field, ...]:
        """Return what it may be asked for."""
        return fields_of(cls)

    @classmethod
    def json_schema(cls, refer: Refer | None = None) -> JsonSchema:
        """Return the JSON Schema of its parameters, with ``refer`` for names that are in the data."""
        return object_schema(cls, refer)

    @classmethod
    def versioned_method(cls) -> str:
        """Return the name of the method with its version, such as ``mean/1``."""
        return cls.method.partition(":")[0]

    def settled(self, cube: SurveyCube) -> Self:
        """Return the request with every default filled in that depends on the data; settling it again changes nothing.

        Raises
        ------
        InvalidParameterError
            The fields don't fit each other, or there is no default.
        """
        return self

    def touches(self, note: Note, cube: SurveyCube) -> bool:
        """Whether a settled request selects what a note on the table is about; decided without looking at cells."""
        return note.concerns_answers

    @abstractmethod
    def compute(self, data: StatisticData) -> Result | Mapping[str, object]:
        """Return the answer to a settled request: a pure function of the data and the fields.

        A v1 statistic returns a ``Result``, one of the contract the JSON-able mapping that the contract has.

        Raises
        ------
        StatisticError
            The question has no answer.
        """
