"""Matched cells: which estimates all sides of a comparison have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from meantime.statistics.estimation.comparisons.matching import unshared_cells
from meantime.statistics.estimation.comparisons.pairs import paired
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, YEAR, group
from meantime.statistics.estimation.pooling import counted_cells
from meantime.statistics.estimation.selection import Selection, cells_selected
from tests.cubes import cube_of
from tests.reference import Row
from tests.tables import OBESITY

Cell = tuple[str, int, str]


def row(location: str, year: int, stratum: str = "Male", value: float | None = 30.0) -> Row:
    limits = (None, None, None) if value is None else (29.0, 31.0, 400.0)
    return Row(OBESITY, "Q036", location, location[:2], year, "Sex", stratum, value, *limits)


def selected(rows: Sequence[Row]) -> Selection:
    cube = cube_of(rows)
    return cells_selected(
        cube, OBESITY, cube.years, tuple(range(len(cube.locations))), tuple(range(len(cube.segments)))
    )


def kept(rows: Sequence[Row], apart: Sequence[str], within: Sequence[str] = ()) -> list[Cell]:
    """Return location, year and stratum of each cell that is compared."""
    selection = selected(rows)
    counted = counted_cells(selection)
    compared = counted & ~unshared_cells(selection, counted, apart=apart, within=within)
    return cells_in(selection, compared)


def cells_in(selection: Selection, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[Cell]:
    cells, cube = selection.cube.cells, selection.cube
    return [
        (
            cube.locations[cells.location[cell]].name,
            int(cells.year[cell]),
            cube.segments[cells.segment[cell]].stratum,
        )
        for cell in selection.cells[chosen].tolist()
    ]


def test_sides_are_compared_over_the_years_that_all_of_them_have() -> None:
    rows = [row("Iowa", 2012), row("Ohio", 2012), row("Ohio", 2013), row("Utah", 2012), row("Utah", 2013)]
    assert kept(rows, [LOCATION]) == [(name, 2012, "Male") for name in ("Iowa", "Ohio", "Utah")]


def test_a_suppressed_cell_is_as_good_as_none() -> None:
    rows = [row("Iowa", 2012), row("Iowa", 2013, value=None), row("Ohio", 2012), row("Ohio", 2013)]
    assert kept(rows, [LOCATION]) == [("Iowa", 2012, "Male"), ("Ohio", 2012, "Male")]


def test_a_side_without_any_value_takes_nothing_from_the_others() -> None:
    rows = [row("Iowa", 2012, value=None), row("Ohio", 2012), row("Ohio", 2013), row("Utah", 2012), row("Utah", 2013)]
    assert len(kept(rows, [LOCATION])) == 4


def test_where_nothing_is_common_the_sides_with_the_fewest_cells_are_left_out() -> None:
    rows = [row("Iowa", 2011), *(row(name, year) for name in ("Ohio", "Utah") for year in (2012, 2013))]
    assert {name for name, _, _ in kept(rows, [LOCATION])} == {"Ohio", "Utah"}


def test_sides_that_have_equally_few_in_common_with_nobody_are_all_left_out() -> None:
    assert kept([row("Iowa", 2011), row("Ohio", 2012)], [LOCATION]) == []


def test_strata_of_each_location_are_matched_within_it() -> None:
    rows = [
        *(row("Iowa", year, "Male") for year in (2011, 2012)),
        row("Iowa", 2012, "Female"),
        *(row("Ohio", year, stratum) for year in (2011, 2012) for stratum in ("Male", "Female")),
    ]
    found = kept(rows, [STRATUM], within=[LOCATION])
    assert [(year, stratum) for name, year, stratum in found if name == "Iowa"] == [(2012, "Female"), (2012, "Male")]
    assert len([name for name, _, _ in found if name == "Ohio"]) == 4


def test_the_years_of_a_pooled_series_are_over_the_same_locations() -> None:
    rows = [row("Iowa", 2011), *(row(name, year) for name in ("Ohio", "Utah") for year in (2011, 2012))]
    assert {name for name, _, _ in kept(rows, [YEAR])} == {"Ohio", "Utah"}
    assert len(kept(rows, [YEAR], within=[LOCATION])) == 5


@pytest.mark.parametrize("names", [("Iowa", "Ohio", "Utah"), ("Utah", "Iowa", "Ohio")])
def test_what_is_matched_does_not_go_by_names(names: tuple[str, str, str]) -> None:
    first, second, third = names
    rows = [row(first, 2011), row(second, 2011), row(second, 2012), row(third, 2012), row(third, 2011)]
    assert {(name, year) for name, year, _ in kept(rows, [LOCATION])} == {(name, 2011) for name in names}


def test_a_location_is_set_beside_the_reference_over_what_both_have() -> None:
    rows = [row("Iowa", 2012), row("Ohio", 2011), row("Ohio", 2012), row("Utah", 2011), row("National", 2012)]
    everything = selected(rows)
    nation = everything.elsewhere(locations=(everything.cube.location_index["National"],))
    states = everything.elsewhere(
        locations=tuple(index for name, index in everything.cube.location_index.items() if name != "National")
    )
    pairs = paired(group(states, [LOCATION]), counted_cells(states), nation, counted_cells(nation))
    assert pairs.matched_count.tolist() == [1, 1, 0]
    assert pairs.unmatched == [[], ["2011"], ["2011", "2012"]]
    assert cells_in(states, pairs.left_out) == [("Ohio", 2011, "Male")]  # Utah's stays: it is compared with nothing
    assert pairs.reference.group_of_cell.tolist() == [0, 1, 2]  # whole for Utah, too
