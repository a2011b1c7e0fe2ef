"""Groups that are each set beside one reference, over the years and strata that the two have.

Groups that all have to be over the same places are in ``matching.py``; what is then done with the cells is up to
``pooling.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from meantime.statistics.estimation.cautions import listed
from meantime.statistics.estimation.comparisons.matching import place_names
from meantime.statistics.estimation.grouping import STRATUM, YEAR, Groups, codes_of
from meantime.statistics.estimation.selection import IndexArray, Selection
from meantime.statistics.result import Column
from meantime.survey.cube.survey_cube import BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Groups of a selection, each beside one reference over the years and strata that both have.

    ``left_out`` tells of each cell of the groups whether it counts and the reference lacks its place. ``reference`` has
    the reference's cells for each group, in its order. Of a group without any common place (``matched_count`` 0)
    nothing is left out on either side, since it isn't compared. ``unmatched`` are, for each group, the years and
    strata that one side has and the other lacks, in words.
    """

    groups: Groups
    left_out: BoolArray
    reference: Groups
    matched_count: IndexArray
    unmatched: list[list[str]]

    def columns(self) -> dict[str, Column]:
        """Return the fields that say over how many years and strata is compared, over how many not, and which."""
        return {
            "cells_matched": self.matched_count,
            "cells_left_out": [len(names) for names in self.unmatched],
            "left_out": [listed(names) for names in self.unmatched],
        }

    def cautions(self) -> list[str]:
        """Return cautions that name the locations of which something is left out, and those not compared at all."""
        names = self.groups.location_names()
        partly: list[str] = []
        wholly: list[str] = []
        for name, count, unmatched in zip(names, self.matched_count.tolist(), self.unmatched, strict=True):
            if unmatched:
                (partly if count else wholly).append(f"{name} without {listed(unmatched)}" if count else name)
        found = []
        if partly:
            found.append(
                "compared only over the years and strata that both sides have:"
                f" {len(partly)} of {len(names)} locations ({listed(partly)})"
            )
        if wholly:
            found.append(
                "not compared, because no year and stratum has a value on both sides:"
                f" {len(wholly)} of {len(names)} locations ({listed(wholly)})"
            )
        return found


def paired(groups: Groups, counted: BoolArray, reference: Selection, reference_counted: BoolArray) -> Pairs:
    """Set each group beside one reference, over the years and strata that both have.

    Parameters
    ----------
    groups
        By location.
    counted, reference_counted
        Whether each cell counts, of the groups' selection and of the reference.
    reference
        The cells of one location, in the same years and strata.
    """
    selection = groups.selection
    own_place, other_place = codes_of(selection, [YEAR, STRATUM]), codes_of(reference, [YEAR, STRATUM])
    own_place, other_place = own_place[counted], other_place[reference_counted]
    places = np.flatnonzero(np.bincount(np.r_[own_place, other_place]))
    own, other = np.searchsorted(places, own_place), np.searchsorted(places, other_place)
    has = np.zeros((len(groups), len(places)), dtype=np.bool_)
    has[groups.group_of_cell[counted], own] = True
    reference_has = np.zeros(len(places), dtype=np.bool_)
    reference_has[other] = True
    matched: BoolArray = has & reference_has
    left_out = np.zeros(len(selection.cells), dtype=np.bool_)
    is_compared: BoolArray = np.asarray(matched.any(axis=1))
    left_out[counted] = ~reference_has[own] & is_compared[groups.group_of_cell[counted]]
    # The reference's cells once more for each group: cell c belongs to each group that is matched at its place.
    cell, owner = np.nonzero((np.take(matched, other, axis=1) | ~is_compared[:, None]).T)
    repeated = replace(reference, cells=reference.cells[reference_counted][cell])
    names, lost = place_names(places, selection), [list[str]() for _ in range(len(groups))]
    for row, place in np.argwhere(has ^ reference_has).tolist():
        lost[row].append(names[place])
    return Pairs(
        groups,
        left_out,
        Groups(repeated, groups.by, owner, np.zeros(len(groups), dtype=np.intp)),
        matched.sum(axis=1),
        lost,
    )
