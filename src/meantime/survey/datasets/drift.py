"""What changed between two versions of a dataset: columns, questions, locations, years, strata, values.

Cells are matched by what they are about (question, location, year, category, stratum), never by their place in a cube.
Nothing is loaded or served here.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from meantime.survey.cube.survey_cube import BoolArray, FloatArray, SurveyCube
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.provenance import Provenance

EXAMPLE_COUNT = 5

Name = TypeVar("Name", bound=Hashable)

CellName = tuple[str, str, int, str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What one dimension gained and lost, each sorted."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @classmethod
    def between(cls, before: Collection[str], after: Collection[str]) -> Change:
        """Compare two sets of names.

        >>> Change.between(["Ohio", "Guam"], ["Ohio", "Utah"])
        Change(added=('Utah',), removed=('Guam',))
        """
        return cls(tuple(sorted(set(after) - set(before))), tuple(sorted(set(before) - set(after))))


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A role that another column plays now; None where no column plays it."""

    role: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class CellChange:
    """One cell whose mean value is another now, in the question's unit; None where it is suppressed."""

    question: str
    location: str
    year: int
    category: str
    stratum: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class CellChanges:
    """How the cells of two versions compare.

    ``changed_count`` counts cells of both versions with another value or other limits, suppressed and no longer
    suppressed ones too. ``largest_change`` is the greatest difference of two values in the question's unit, 0.0 without
    any; ``examples`` are the cells with the greatest ones, those that were or became suppressed last.
    """

    added_count: int
    removed_count: int
    changed_count: int
    unchanged_count: int
    largest_change: float
    examples: tuple[CellChange, ...]


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What a reload changed. Counts are rows of the source or cells of the cube."""

    dataset: str
    version_before: str
    version_after: str
    row_count_before: int
    row_count_after: int
    columns: tuple[ColumnChange, ...]
    questions: Change
    locations: Change
    years: Change
    strata: Change
    cells: CellChanges
    warnings: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Whether both versions are the same data, read the same way, with the same provenance."""
        return self.version_before == self.version_after

    @property
    def summary(self) -> str:
        """One line for a log or a terminal."""
        if self.is_same:
            return f"{self.dataset}: unchanged, version {self.version_after[:12]}"
        cells = self.cells
        parts = [f"{cells.added_count:,} cells added, {cells.removed_count:,} removed, {cells.changed_count:,} changed"]
        dimensions = {
            "questions": self.questions,
            "locations": self.locations,
            "years": self.years,
            "strata": self.strata,
        }
        parts += [
            f"{name} +{len(change.added)} -{len(change.removed)}"
            for name, change in dimensions.items()
            if change.added or change.removed
        ]
        parts += [f"{each.role} is {each.after!r}, was {each.before!r}" for each in self.columns]
        return f"{self.dataset}: {self.version_before[:12]} -> {self.version_after[:12]}; {'; '.join(parts)}"


def drift_between(before: Dataset, after: Dataset) -> DriftReport:
    """Compare two versions of a dataset.

    Parameters
    ----------
    before, after
        The version that was served, and the one that takes its place.

    Returns
    -------
    DriftReport
        What changed; a question that is worded otherwise is one removed and one added.
    """
    old, new = before.cube, after.cube
    roles = {**before.report.columns, **after.report.columns}
    pairs = ((role, before.report.columns.get(role), after.report.columns.get(role)) for role in sorted(roles))
    return DriftReport(
        dataset=after.name,
        version_before=before.version,
        version_after=after.version,
        row_count_before=before.report.row_count,
        row_count_after=after.report.row_count,
        columns=tuple(ColumnChange(*pair) for pair in pairs if pair[1] != pair[2]),
        questions=Change.between([q.text for q in old.questions], [q.text for q in new.questions]),
        locations=Change.between([place.name for place in old.locations], [place.name for place in new.locations]),
        years=Change.between([str(year) for year in old.years], [str(year) for year in new.years]),
        strata=Change.between(_strata(old), _strata(new)),
        cells=_compare_cells(old, new),
        warnings=(
            *_provenance_changes(before.provenance, after.provenance),
            *(note.text for note in after.report.notes),
        ),
    )


def _provenance_changes(before: Provenance, after: Provenance) -> Iterator[str]:
    """Yield one line when more is said otherwise of where the data comes from than its checksum."""
    old, new = asdict(before), asdict(after)
    names = [name for name in new if new[name] != old[name] and name != "source_sha256"]
    if names:
        yield f"the provenance says otherwise: {', '.join(names)}"


def _strata(cube: SurveyCube) -> list[str]:
    return [f"{segment.category}: {segment.stratum}" for segment in cube.segments if not segment.is_blank]


def _compare_cells(old: SurveyCube, new: SurveyCube) -> CellChanges:
    old_keys, new_keys = _keys(old, old, new), _keys(new, old, new)
    _, in_old, in_new = np.intersect1d(old_keys, new_keys, assume_unique=True, return_indices=True)
    old_values, new_values = _values(old)[in_old], _values(new)[in_new]
    is_other = ~_equal(old_values, new_values)
    is_other |= ~_equal(old.cells.low[in_old], new.cells.low[in_new])
    is_other |= ~_equal(old.cells.high[in_old], new.cells.high[in_new])
    is_other |= old.cells.sample_size_sum[in_old] != new.cells.sample_size_sum[in_new]
    places = np.flatnonzero(is_other)
    differences = np.abs(new_values - old_values)[places]
    # NaN, a cell that was or became suppressed, sorts last.
    greatest = places[np.argsort(-differences, kind="stable")[:EXAMPLE_COUNT]]
    return CellChanges(
        added_count=len(new_keys) - len(in_new),
        removed_count=len(old_keys) - len(in_old),
        changed_count=len(places),
        unchanged_count=len(in_old) - len(places),
        largest_change=float(np.nanmax(differences, initial=0.0)) if len(places) else 0.0,
        examples=tuple(
            CellChange(*_name(new, int(in_new[i])), _or_none(old_values[i]), _or_none(new_values[i])) for i in greatest
        ),
    )


def _keys(cube: SurveyCube, old: SurveyCube, new: SurveyCube) -> npt.NDArray[np.int64]:
    """Return one number a cell that means the same in both cubes."""
    first_year = min((*old.years, *new.years), default=0)
    year_count = max((*old.years, *new.years), default=0) - first_year + 1
    questions = _codes([q.text for q in old.questions], [q.text for q in new.questions])
    places = _codes([place.name for place in old.locations], [place.name for place in new.locations])
    segments = _codes(_pairs(old), _pairs(new))
    own_questions = np.array([questions[q.text] for q in cube.questions], dtype=np.int64)
    own_places = np.array([places[place.name] for place in cube.locations], dtype=np.int64)
    own_segments = np.array([segments[pair] for pair in _pairs(cube)], dtype=np.int64)
    cells = cube.cells
    keys = own_questions[cells.question] * len(places) + own_places[cells.location]
    keys = keys * year_count + (cells.year - first_year)
    return np.asarray(keys * len(segments) + own_segments[cells.segment], dtype=np.int64)


def _pairs(cube: SurveyCube) -> list[tuple[str, str]]:
    return [(segment.category, segment.stratum) for segment in cube.segments]


def _codes(old: Sequence[Name], new: Sequence[Name]) -> dict[Name, int]:
    return {name: code for code, name in enumerate(dict.fromkeys([*old, *new]))}


def _values(cube: SurveyCube) -> FloatArray:
    """Return the mean value of each cell, NaN where there is none."""
    values = np.full(len(cube.cells), np.nan)
    np.divide(cube.cells.value_sum, cube.cells.value_count, out=values, where=cube.cells.value_count > 0)
    return values


def _equal(left: FloatArray, right: FloatArray) -> BoolArray:
    return np.asarray((left == right) | (np.isnan(left) & np.isnan(right)), dtype=np.bool_)


def _name(cube: SurveyCube, cell: int) -> CellName:
    cells, segment = cube.cells, cube.segments[cube.cells.segment[cell]]
    return (
        cube.questions[cells.question[cell]].text,
        cube.locations[cells.location[cell]].name,
        int(cells.year[cell]),
        segment.category,
        segment.stratum,
    )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
