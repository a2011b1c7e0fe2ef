"""The nine statistics of the contract: plain means over rows, in the contract's exact shapes.

A mean here is the plain mean of every published estimate of the question, whatever its year, stratum or kind of
location (sum of values / number of values: Cochran, Sampling Techniques, 3rd ed., 1977, chapter 2). Rows without a
value don't count; rows without a category count in location and global means but give no key. Statistics that keep
the nation, the strata and the years apart are in the other modules. The parameter ``state`` is the contract's name
for a location.

Means that are mathematically equal may differ in the last bits, so they are compared after rounding to nine decimals;
ties are in order of the location's name. A question without any value is a StatisticError; a location without a value
for a question that has some is None where its mean would stand, and has no key where a mapping of means would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, ClassVar, Self

from meantime.errors import InvalidParameterError
from meantime.fields.fields import Example
from meantime.statistics.kinds import LOCATION_NAME, QUESTION_TEXT
from meantime.statistics.measures.plain_means import (
    mean_of_all,
    mean_of_location,
    means_in_order,
    means_of_keys,
    means_of_keys_in,
)
from meantime.statistics.statistic import Statistic, StatisticData, Surface
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.questions import Direction

EXTREME_COUNT = 5

LocationMeans = dict[str, float]
"""Location name to mean; one without any value is left out."""

_QUESTION = "Percent of adults aged 18 years and older who have obesity"
_STATE = "Ohio"


@dataclass(frozen=True, kw_only=True)
class OfQuestion(Statistic):
    """A statistic of the contract: of a question, asked by its exact text."""

    surface = Surface.CONTRACT
    unit = "percent"
    example: ClassVar[Mapping[str, object]] = {"question": _QUESTION}

    question: Annotated[str, QUESTION_TEXT, "The question's exact text.", Example(_QUESTION)]

    def __init_subclass__(cls) -> None:
        """Derive method and page from the name."""
        if hasattr(cls, "name"):
            cls.method = f"{cls.name}/1: plain mean of all rows with a value"
            cls.documentation = f"methods/contract.md#{cls.name}"


@dataclass(frozen=True, kw_only=True)
class OfState(OfQuestion):
    """A statistic of the contract: of a question and a location."""

    example: ClassVar = {"question": _QUESTION, "state": _STATE}

    state: Annotated[str, LOCATION_NAME, "The location's name: a state, a territory or National.", Example(_STATE)]


@dataclass(frozen=True, kw_only=True)
class StatesMean(OfQuestion):
    """The mean of each location, ascending by mean, ties by name."""

    name = "states_mean"
    title = "Mean of each location"
    summary = "The plain mean of each location, ascending."

    def compute(self, data: StatisticData) -> LocationMeans:
        """Return location name to mean."""
        return means_in_order(data.cube, self.question)


@dataclass(frozen=True, kw_only=True)
class StateMean(OfState):
    """The mean of one location."""

    name = "state_mean"
    title = "Mean of one location"
    summary = "The plain mean of one location."

    def compute(self, data: StatisticData) -> dict[str, float | None]:
        """Return the location's name to its mean."""
        return {self.state: mean_of_location(data.cube, self.question, self.state)}


@dataclass(frozen=True, kw_only=True)
class _Extremes(OfQuestion):
    """Five locations from one end, the most extreme first, ties by name."""

    is_best: ClassVar[bool]

    def settled(self, cube: SurveyCube) -> Self:
        """Refuse a question of which nobody has said which end is better, before it is a job."""
        _direction(cube, self.question)
        return self

    def compute(self, data: StatisticData) -> LocationMeans:
        """Return location name to mean; fewer than five where there are no more."""
        lowest_first = (_direction(data.cube, self.question) is Direction.LOWER_IS_BETTER) == self.is_best
        ranked = means_in_order(data.cube, self.question, descending=not lowest_first)
        return dict(islice(ranked.items(), EXTREME_COUNT))


@dataclass(frozen=True, kw_only=True)
class Best5(_Extremes):
    """The five locations with the best means, best first."""

    name = "best5"
    title = "Five best locations"
    summary = "The five best plain means, best first."
    is_best = True


@dataclass(frozen=True, kw_only=True)
class Worst5(_Extremes):
    """The five locations with the worst means, worst first."""

    name = "worst5"
    title = "Five worst locations"
    summary = "The five worst plain means, worst first."
    is_best = False


@dataclass(frozen=True, kw_only=True)
class GlobalMean(OfQuestion):
    """The mean over all rows of the question, not over the locations' means."""

    name = "global_mean"
    title = "Mean over all rows"
    summary = "The plain mean of all rows."

    def compute(self, data: StatisticData) -> dict[str, float]:
        """Return the mean under the name ``global_mean``."""
        return {"global_mean": mean_of_all(data.cube, self.question)}


@dataclass(frozen=True, kw_only=True)
class DiffFromMean(OfQuestion):
    """The global mean minus the mean of each location, in the order of ``states_mean``."""

    name = "diff_from_mean"
    title = "Difference of each location"
    summary = "The mean of all rows minus the mean of each location."
    unit = "percentage points"

    def compute(self, data: StatisticData) -> LocationMeans:
        """Return location name to difference."""
        overall = mean_of_all(data.cube, self.question)
        return {name: overall - mean for name, mean in means_in_order(data.cube, self.question).items()}


@dataclass(frozen=True, kw_only=True)
class StateDiffFromMean(OfState):
    """The global mean minus the mean of one location."""

    name = "state_diff_from_mean"
    title = "Difference of one location"
    summary = "The mean of all rows minus the mean of one location."
    unit = "percentage points"

    def compute(self, data: StatisticData) -> dict[str, float | None]:
        """Return the location's name to its difference."""
        mean = mean_of_location(data.cube, self.question, self.state)
        return {self.state: None if mean is None else mean_of_all(data.cube, self.question) - mean}


@dataclass(frozen=True, kw_only=True)
class MeanByCategory(OfQuestion):
    """The mean of each (location, category, stratum) that has a value."""

    name = "mean_by_category"
    title = "Mean of each stratum of each location"
    summary = "The plain mean of each location, category and stratum."

    def compute(self, data: StatisticData) -> dict[str, float]:
        """Return the text of the tuple, such as ``"('Alabama', 'Age (years)', '18 - 24')"``, to the mean, in order."""
        return means_of_keys(data.cube, self.question)


@dataclass(frozen=True, kw_only=True)
class StateMeanByCategory(OfState):
    """The mean of each (category, stratum) of one location that has a value."""

    name = "state_mean_by_category"
    title = "Mean of each stratum of one location"
    summary = "The plain mean of each category and stratum of one location."

    def compute(self, data: StatisticData) -> dict[str, dict[str, float]]:
        """Return the location's name to the text of the tuple to the mean; no key if it has no value."""
        return {self.state: means_of_keys_in(data.cube, self.question, self.state)}


def _direction(cube: SurveyCube, question: str) -> Direction:
    found = cube.questions[cube.question_index[question]]
    direction = found.direction or found.contract_direction
    if direction is None:
        raise InvalidParameterError(
            f"question: nobody has said which end of {question!r} is better;"
            " state its direction in a mapping file, or ask for states_mean",
            field="question",
        )
    return direction
