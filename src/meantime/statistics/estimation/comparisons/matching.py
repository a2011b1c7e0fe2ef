"""Matched cells: the estimates that all sides of a comparison have, so that no gap passes for a difference.

A side is what is compared (a location, a stratum, a year); a place is where its estimates are (the other dimensions).
Sides are compared over the places that all of them have. Only cells that count count: those with a value, and the
weight that was asked for (``pooling.counted_cells``). What is then done with the cells is up to ``pooling.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.grouping import LOCATION, STRATUM, YEAR, Groups, codes_of
from meantime.statistics.estimation.options import Weights
from meantime.statistics.estimation.pooling import Estimates
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.result import Column
from meantime.survey.cube.survey_cube import BoolArray


def unshared_cells(
    selection: Selection, counted: BoolArray, *, apart: Sequence[str], within: Sequence[str] = ()
) -> BoolArray:
    """Return which cells to leave out, so that all sides are over the same places.

    Parameters
    ----------
    selection
        The cells of all sides.
    counted
        One per cell: whether it counts.
    apart
        The dimensions that set one side apart from another.
    within
        Dimensions of which each member is a comparison of its own.

    Returns
    -------
    array of bool
        True for a cell that counts, but at a place that some side lacks.

    Notes
    -----
    A side without any cell that counts is no side. Where no place is common to all sides of a comparison, the sides
    with the fewest places are left out whole, all that have equally few, until one is. So nothing goes by the order
    of names, and at worst all is left out.

    Examples
    --------
    Locations in a ranking are ``apart=["location"]``; the strata of each location are ``apart=["stratum"],
    within=["location"]``; the years of each series are ``apart=["year"], within=series.by``.
    """
    kept = counted.copy()
    rest = [name for name in (LOCATION, YEAR, STRATUM) if name not in {*apart, *within}]
    if not _has_several_places(selection, rest):
        return np.zeros(len(kept), dtype=np.bool_)
    contest = _numbered(codes_of(selection, within))
    side = _numbered(contest, codes_of(selection, apart))
    place = _numbered(contest, codes_of(selection, rest))
    first_of_side = np.zeros(side.max(initial=0) + 1, dtype=np.intp)
    while True:
        cells = np.flatnonzero(kept)
        first_of_side[side[cells]] = cells
        side_count = _counted(contest[cells[first_of_side[side[cells]] == cells]], contest)
        is_shared = _counted(place[cells], place) == side_count
        is_stuck = _counted(contest[cells[is_shared[cells]]], contest) == 0
        stuck = cells[is_stuck[cells]]
        if not len(stuck):
            left_out: BoolArray = counted & ~(kept & is_shared)
            return left_out
        size = _counted(side[stuck], side)
        fewest = np.full(contest.max() + 1, len(kept))
        np.minimum.at(fewest, contest[stuck], size[stuck])
        kept[stuck[size[stuck] == fewest[contest[stuck]]]] = False


def _has_several_places(selection: Selection, rest: Sequence[str]) -> bool:
    members = {LOCATION: selection.locations, YEAR: selection.years, STRATUM: selection.segments}
    return any(len(members[name]) > 1 for name in rest)


def _numbered(*codes: IndexArray) -> IndexArray:
    """Return numbers from 0, equal where all codes are; not many more than there are cells."""
    found = codes[0]
    for code in codes[1:]:
        found = found * (int(code.max(initial=0)) + 1) + code
    if found.max(initial=0) > 4 * len(found) + 1000:
        found = np.unique(found, return_inverse=True)[1]
    return found.astype(np.intp, copy=False)


def _counted(some: IndexArray, numbers: IndexArray) -> IndexArray:
    """Return, for each of the numbers, how often it is among some of them."""
    return np.bincount(some, minlength=int(numbers.max(initial=0)) + 1)[numbers]


def place_names(places: IndexArray, selection: Selection) -> list[str]:
    """Return the year and stratum of each place, without what all places share."""
    segments = selection.cube.segments
    names = []
    for place in places.tolist():
        year, segment = divmod(place, len(segments))
        words = [segments[selection.segments[segment]].stratum] if len(selection.segments) > 1 else []
        if len(selection.years) > 1 or not words:
            words.insert(0, str(selection.years[0] + year))
        names.append(" ".join(words))
    return names


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """Groups that are all over the same places; ``left_out`` tells of each cell whether it counts and is at another."""

    groups: Groups
    counted: BoolArray
    left_out: BoolArray

    def columns(self) -> dict[str, Column]:
        """Return the fields that say over how many years and strata is compared, over how many not, and which."""
        lost = self._names_left_out()
        return {
            "cells_matched": self._matched_count(),
            "cells_left_out": [len(own) for own in lost],
            "left_out": [listed(own) for own in lost],
        }

    def _names_left_out(self) -> list[list[str]]:
        """Return the years and strata that each group loses, in words."""
        lost: list[list[str]] = [[] for _ in range(len(self.groups))]
        if self.left_out.any():
            codes = codes_of(self.groups.selection, [YEAR, STRATUM])[self.left_out]
            places, place = np.unique(codes, return_inverse=True)
            names = place_names(places, self.groups.selection)
            owner, order = self.groups.group_of_cell[self.left_out], np.argsort(place, kind="stable")
            for row, index in zip(owner[order].tolist(), place[order].tolist(), strict=True):
                lost[row].append(names[index])
        return lost

    def _matched_count(self) -> IndexArray:
        return self.groups.total(self.counted & ~self.left_out).astype(np.intp)

    def cautions(self) -> list[str]:
        """Return cautions that name what is left out, the groups that lack it, and those left out whole."""
        if not self.left_out.any():
            return []
        selection, owner, names = self.groups.selection, self.groups.group_of_cell, self.groups.location_names()
        place, is_kept = codes_of(selection, [YEAR, STRATUM]), self._matched_count() > 0
        lost = self.groups.total(self.left_out)
        places = np.unique(place[self.left_out & is_kept[owner]])
        found = []
        if len(places):
            has = np.bincount(owner, self.left_out & np.isin(place, places), minlength=len(names))
            lacking = [names[index] for index in np.flatnonzero(is_kept & (has < len(places))).tolist()]
            because = f", which some lack: {listed(lacking)}" if lacking else ""
            left_out = listed(place_names(places, selection))
            found.append(f"compared only over the years and strata that all have; left out: {left_out}{because}")
        whole = [names[index] for index in np.flatnonzero(~is_kept & (lost > 0)).tolist()]
        if whole:
            found.append(
                "left out, because they share no year and stratum with the others:"
                f" {len(whole)} locations ({listed(whole)})"
            )
        return found


def shared(groups: Groups, counted: BoolArray) -> Shared:
    """Return groups by location over the years and strata that all of them have; see ``unshared_cells``."""
    return Shared(groups, counted, unshared_cells(groups.selection, counted, apart=groups.by))


def shared_on_both_sides(
    first: Groups, counted: BoolArray, second: Groups, second_counted: BoolArray
) -> tuple[Shared, Shared]:
    """Return two groupings by location, over the years and strata that all locations have in both."""
    places, second_places = (codes_of(each.selection, (LOCATION, YEAR, STRATUM)) for each in (first, second))
    in_both: BoolArray = counted & np.isin(places, second_places[second_counted])
    kept = in_both & ~unshared_cells(first.selection, in_both, apart=first.by)
    second_kept = second_counted & np.isin(second_places, places[kept])
    return Shared(first, counted, counted & ~kept), Shared(second, second_counted, second_counted & ~second_kept)


def cautions_of_own_weights(estimates: Estimates) -> list[str]:
    """Return a caution where each side weighs its years and strata by weights of its own."""
    if estimates.weights == Weights.NONE or not (estimates.cells_used > 1).any():
        return []
    return ["each side weighs its years and strata by weights of its own, so a part of what differs may be the weights"]
