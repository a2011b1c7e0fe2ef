"""Single estimates of a source, for statistics that no aggregate holds: medians and quantiles of full cells.

Each call reads the source again, in a child process like the ingest, and refuses a source whose bytes are no longer
those of the dataset version.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from meantime.child.child_process import ChildProcess
from meantime.survey.cube.survey_cube import FloatArray, IntArray
from meantime.survey.ingest.errands import PinnedTable, write_values


@dataclass(frozen=True, slots=True)
class SingleEstimates:
    """Published values one by one, in any order; parallel arrays.

    ``location`` and ``segment`` are places in the lists that were asked for; rows without a value are left out.
    """

    location: IntArray
    year: IntArray
    segment: IntArray
    value: FloatArray


@dataclass(frozen=True, slots=True)
class SourceEstimates:
    """The single estimates of one dataset version; ``table`` is what the version was read from."""

    table: PinnedTable

    def single_estimates(
        self,
        question: str,
        years: Sequence[int],
        locations: Sequence[str],
        segments: Sequence[tuple[str, str]],
    ) -> SingleEstimates:
        """Return the values of a question (a text) in these years, locations and (category, stratum) pairs.

        Raises
        ------
        DataError
            The source can't be read.
        DataChangedError
            Its bytes are no longer those of the dataset version.
        """
        filters = {
            "question": [question],
            "year": [str(year) for year in years],
            "location": list(locations),
            "category": sorted({category for category, _ in segments}),
            "stratum": sorted({stratum for _, stratum in segments}),
        }
        arrays, dictionaries = self._fetched(filters)
        location = _places(dictionaries["location"], locations)[arrays["location"]]
        segment = _segment_places(dictionaries, segments)[arrays["category"], arrays["stratum"]]
        wanted = segment >= 0
        return SingleEstimates(
            location=location[wanted],
            year=arrays["year"][wanted].astype(np.int32),
            segment=segment[wanted],
            value=arrays["value"][wanted].astype(np.float64),
        )

    def _fetched(
        self, filters: dict[str, list[str]]
    ) -> tuple[Mapping[str, npt.NDArray[np.generic]], dict[str, list[str]]]:
        with tempfile.TemporaryDirectory() as folder:
            output = f"{folder}/values.npz"
            child = ChildProcess(Path(self.table["source"]).name)
            dictionaries = child.run(
                write_values, None, self.table, filters=filters, output=output, scratch_directory=folder
            )
            with np.load(output, allow_pickle=False) as file:
                return dict(file), dictionaries


def _places(names: Sequence[str], wanted: Sequence[str]) -> IntArray:
    """Return the place of each name in the list of those that were asked for."""
    places = {name: place for place, name in enumerate(wanted)}
    return np.array([places[name] for name in names], dtype=np.int32)


def _segment_places(dictionaries: Mapping[str, Sequence[str]], segments: Sequence[tuple[str, str]]) -> IntArray:
    """Return the place of each pair of category and stratum in the list of segments; -1 where it's none of them."""
    categories, strata = dictionaries["category"], dictionaries["stratum"]
    places = {pair: place for place, pair in enumerate(segments)}
    found = [[places.get((category, stratum), -1) for stratum in strata] for category in categories]
    return np.array(found, dtype=np.int32).reshape(len(categories), len(strata))
