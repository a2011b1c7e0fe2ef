"""What the nation's estimates are made of: which states are part of them, year by year, and what stands in for them.

The table doesn't say which states a national estimate lacks; its sample size does, since it is the sum of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from meantime.errors import InvalidParameterError, StatisticError
from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.filters import overall_segments
from meantime.statistics.estimation.grouping import group
from meantime.statistics.estimation.options import Panel, Weights
from meantime.statistics.estimation.pooling import Estimates, counted_cells, pool
from meantime.statistics.estimation.selection import Selection
from meantime.statistics.kinds import PopulationRow
from meantime.survey.cube.survey_cube import SurveyCube, kept_per_cube
from meantime.survey.questions import LocationKind


@kept_per_cube
def states_lacking(cube: SurveyCube, question: int, year: int) -> tuple[str, ...]:
    """Return the states that the nation's estimates of a question (an index) are without in a year, by name.

    These are the states with a value in some other year but none in this one, if the nation's sample size is that of
    the states that have one. Where it is another, some of them are part of it and it isn't known which: then none.
    Everybody (the overall stratum) is looked at, since in smaller strata states are suppressed, yet part of it.
    """
    cells, kinds = cube.cells, [place.kind for place in cube.locations]
    span = cube.cells_of(question)
    of_everybody = np.isin(cells.segment[span], overall_segments(cube)) & (cells.value_count[span] > 0)
    found = np.flatnonzero(of_everybody) + span.start
    ever = {place for place in cells.location[found].tolist() if kinds[place] is LocationKind.STATE}
    found = found[cells.year[found] == year]
    persons = {LocationKind.NATION: 0.0, LocationKind.STATE: 0.0, LocationKind.TERRITORY: 0.0}
    for place, size in zip(cells.location[found].tolist(), cells.sample_size_sum[found].tolist(), strict=True):
        persons[kinds[place]] += size
    if not persons[LocationKind.NATION] or persons[LocationKind.NATION] != persons[LocationKind.STATE]:
        return ()
    return tuple(cube.locations[place].name for place in sorted(ever - set(cells.location[found].tolist())))


def cautions_of_lacking_states(selections: Sequence[Selection]) -> list[str]:
    """Return a caution that names the states that the nation's values in some selections are without."""
    lacking: dict[int, tuple[str, ...]] = {}
    names = set()
    for selection in selections:
        cube = selection.cube
        nations = [index for index in selection.locations if _is(cube, index, LocationKind.NATION)]
        names |= {cube.locations[index].name for index in nations}
        of_nation = np.zeros(len(cube.locations), dtype=np.bool_)
        of_nation[nations] = True
        found = selection.cells[of_nation[cube.cells.location[selection.cells]]]
        found = found[cube.cells.value_count[found] > 0]
        for year in set(cube.cells.year[found].tolist()):
            lacking[year] = states_lacking(cube, cube.question_index[selection.question.text], year)
    if not any(lacking.values()):
        return []
    without = listed([f"{', '.join(states)} in {year}" for year, states in sorted(lacking.items()) if states])
    caution = f"by its sample size, {' and '.join(sorted(names))} is without {without}"
    if len(set(lacking.values())) > 1:
        caution += "; so it isn't the same states in every year, and a change may be theirs alone"
    return [caution]


def cautions_of_shared_people(reference: Selection, compared: Selection) -> list[str]:
    """Return a caution where states are compared with the nation that they, but not territories, are part of."""
    cube = reference.cube
    names = [cube.locations[index].name for index in reference.locations if _is(cube, index, LocationKind.NATION)]
    kinds = {cube.locations[index].kind for index in compared.locations}
    if not names or LocationKind.STATE not in kinds:
        return []
    territories = ", territories are not" if LocationKind.TERRITORY in kinds else ""
    part = f"each state is part of {names[0]}{territories}, so the two estimates are not independent"
    return [f"{part}: the interval is a little too wide"]


def is_nation_alone(cube: SurveyCube, locations: Sequence[int]) -> bool:
    """Whether some locations (indexes) are the nation and nothing else."""
    return bool(locations) and all(_is(cube, index, LocationKind.NATION) for index in locations)


def check_panel(cube: SurveyCube, panel: str, locations: Sequence[int]) -> None:
    """Check that a fixed panel is asked for in place of the nation.

    Raises
    ------
    InvalidParameterError
        Other locations are asked for.
    """
    if panel == Panel.FIXED and not is_nation_alone(cube, locations):
        raise InvalidParameterError(
            "panel: a fixed panel stands for the nation; name no other locations", field="panel"
        )


def states_of(selection: Selection) -> Selection:
    """Return the selection with all states in place of the nation."""
    cube = selection.cube
    states = tuple(index for index in range(len(cube.locations)) if _is(cube, index, LocationKind.STATE))
    return selection.elsewhere(locations=states)


PANEL_NAME = "states in every year"
"""What stands in the place of the nation's name where states stand for it."""


@dataclass(frozen=True, slots=True, eq=False)
class FixedPanel:
    """States that stand for the nation on several sides: on all of them the same ones, with the same weights.

    A state's weight is its sample size on all sides together, so that no change of samples passes for one of people.
    ``lacking`` are the states that some side has and some other lacks; both by name.
    """

    sides: tuple[Selection, ...]
    weights: tuple[PopulationRow, ...]
    states: tuple[str, ...]
    lacking: tuple[str, ...]

    def pooled(self, *, scale: str, level: float) -> list[Estimates]:
        """Return one estimate of each side, over the same states with the same weights."""
        return [
            pool(group(side, []), weights=Weights.POPULATION, population=self.weights, scale=scale, level=level)
            for side in self.sides
        ]

    def cautions(self) -> list[str]:
        """Return what must be known of the states that stand for the nation."""
        without = f"; without {listed(self.lacking)}, which lack one of the years" if self.lacking else ""
        pooled = f"{len(self.states)} states stand for the nation, each with its sample size in all the years as weight"
        return [f"{pooled}{without}; that isn't its population, so only the change says something of the nation"]


def fixed_panel(selections: Sequence[Selection]) -> FixedPanel:
    """Return the states that have a value and a sample size in all of some selections of the nation.

    Raises
    ------
    StatisticError
        No state has.
    """
    sides = [states_of(selection) for selection in selections]
    cube, cells = sides[0].cube, sides[0].cube.cells
    counted = [side.cells[counted_cells(side, weights=Weights.SAMPLE_SIZE)] for side in sides]
    present = [set(cells.location[found].tolist()) for found in counted]
    common, ever = set.intersection(*present), set.union(*present)
    if not common:
        raise StatisticError("no state has a value and a sample size in all the years; choose other years")
    return FixedPanel(
        tuple(replace(side, cells=side.cells[np.isin(cells.location[side.cells], sorted(common))]) for side in sides),
        panel_weights(sides),
        tuple(cube.locations[place].name for place in sorted(common)),
        tuple(cube.locations[place].name for place in sorted(ever - common)),
    )


def panel_weights(sides: Sequence[Selection]) -> tuple[PopulationRow, ...]:
    """Return each location's sample size on all sides together, as a population that is the same in all years."""
    cube, cells = sides[0].cube, sides[0].cube.cells
    found = np.concatenate([side.cells for side in sides])
    size = np.bincount(cells.location[found], cells.sample_size_sum[found])
    years = sorted({year for side in sides for year in side.years})
    return tuple(
        PopulationRow(cube.locations[place].name, year, float(size[place]))
        for place in np.flatnonzero(size).tolist()
        for year in years
    )


def _is(cube: SurveyCube, location: int, kind: LocationKind) -> bool:
    return cube.locations[location].kind is kind
