"""The ONE table of statistics. Routes, OpenAPI, command line, client, page and documentation read it.

A new statistic is one class in ``measures/`` and its name here, nothing else.
"""

from __future__ import annotations

from meantime.errors import InvalidParameterError
from meantime.fields.refusals import unknown_name
from meantime.fields.spellings import plain_spelling
from meantime.statistics.measures import contract
from meantime.statistics.measures.age_standardised_mean import AgeStandardisedMean
from meantime.statistics.measures.change import Change
from meantime.statistics.measures.compare import Compare
from meantime.statistics.measures.correlation import Correlation
from meantime.statistics.measures.coverage import Coverage
from meantime.statistics.measures.difference import Difference
from meantime.statistics.measures.disparity import Disparity
from meantime.statistics.measures.disparity_scan import DisparityScan
from meantime.statistics.measures.distribution import Distribution
from meantime.statistics.measures.heterogeneity import Heterogeneity
from meantime.statistics.measures.mean import Mean
from meantime.statistics.measures.pairwise import Pairwise
from meantime.statistics.measures.people import People
from meantime.statistics.measures.profiles.profile import Profile
from meantime.statistics.measures.ranking import Ranking
from meantime.statistics.measures.trend import Trend
from meantime.statistics.statistic import Statistic, Surface

__all__ = ["CATALOGUE", "STATISTICS", "Statistic", "Surface", "find_statistic", "register", "statistics_of"]

STATISTICS: tuple[type[Statistic], ...] = (
    contract.StatesMean,
    contract.StateMean,
    contract.Best5,
    contract.Worst5,
    contract.GlobalMean,
    contract.DiffFromMean,
    contract.StateDiffFromMean,
    contract.MeanByCategory,
    contract.StateMeanByCategory,
    Mean,
    People,
    AgeStandardisedMean,
    Ranking,
    Difference,
    Pairwise,
    Compare,
    Change,
    Distribution,
    Heterogeneity,
    Trend,
    Disparity,
    DisparityScan,
    Correlation,
    Coverage,
    Profile,
)

CATALOGUE: dict[str, type[Statistic]] = {}
"""Every statistic by name, in the order of the table."""


def register(statistic: type[Statistic]) -> type[Statistic]:
    """Add one statistic to the catalogue and return it, so that it may decorate the class.

    Raises
    ------
    ValueError
        The name is taken.
    """
    if statistic.name in CATALOGUE:
        raise ValueError(f"a statistic called {statistic.name!r} is in the catalogue already; choose another name")
    CATALOGUE[statistic.name] = statistic
    return statistic


for _statistic in STATISTICS:
    register(_statistic)


def statistics_of(surface: Surface) -> list[type[Statistic]]:
    """Return the statistics of one surface, in the order of the table."""
    return [statistic for statistic in CATALOGUE.values() if statistic.surface is surface]


def find_statistic(name: str, *, surface: Surface | None = None) -> type[Statistic]:
    """Return the statistic of this name; asked for by v1, of any spelling of it.

    Raises
    ------
    InvalidParameterError
        There is none of this name, or not on this surface (field ``statistic``).
    """
    statistic = CATALOGUE.get(name)
    if statistic is None and surface is Surface.V1:
        plain = {plain_spelling(each.name): each for each in statistics_of(surface)}
        statistic = plain.get(plain_spelling(name))
    if statistic is None or surface not in (None, statistic.surface):
        names = [each.name for each in CATALOGUE.values() if surface in (None, each.surface)]
        raise InvalidParameterError.of(unknown_name(name, names, what="statistic", field="statistic"))
    return statistic
