"""Single estimates of a source, for statistics that no aggregate holds: medians and quantiles of full cells.

Each call reads the source again in a child process, through the same door as the ingest, and refuses a source whose
bytes are no longer those of the dataset version.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from meantime.errors import DataError
from meantime.survey.cube.array_file import ArrayFile, read_array_file
from meantime.survey.cube.survey_cube import FloatArray, IntArray
from meantime.survey.ingest.child_process import ChildProcess
from meantime.survey.ingest.ingest_request import Errand, IngestRequest
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES


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
    """The single estimates of one dataset version.

    Parameters
    ----------
    source
        The path that the version was read from.
    source_sha256
        The checksum of its bytes then (hex).
    mapping_text, mapping_name
        The mapping file that it was read with, if any.
    size_limit_bytes
        The most that a packed source may hold when it is unpacked.
    """

    source: Path
    source_sha256: str
    mapping_text: str = ""
    mapping_name: str = ""
    size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES

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
        filters: dict[str, tuple[str, ...]] = {
            "question": (question,),
            "year": tuple(str(year) for year in years),
            "location": tuple(locations),
            "category": tuple({category for category, _ in segments}),
            "stratum": tuple({stratum for _, stratum in segments}),
        }
        found = self._fetched(filters)
        dictionaries: dict[str, list[str]] = json.loads(found.header)
        location = _places(dictionaries["location"], list(locations))[found.arrays["location"]]
        segment = self._segments(found, dictionaries, segments)
        wanted = segment >= 0
        return SingleEstimates(
            location=location[wanted],
            year=found.arrays["year"][wanted].astype(np.int32),
            segment=segment[wanted],
            value=found.arrays["value"][wanted].astype(np.float64),
        )

    def _fetched(self, filters: dict[str, tuple[str, ...]]) -> ArrayFile:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "values"
            request = IngestRequest(
                errand=Errand.VALUES,
                source=str(self.source),
                output=str(output),
                scratch_directory=folder,
                size_limit_bytes=self.size_limit_bytes,
                expected_sha256=self.source_sha256,
                mapping_text=self.mapping_text,
                mapping_name=self.mapping_name,
                filters=tuple(filters.items()),
            )
            ChildProcess().run(request)
            found = read_array_file(output)
        if found is None:
            raise DataError(f"{self.source.name}: its values are damaged as soon as they are written")
        return found

    @staticmethod
    def _segments(
        found: ArrayFile, dictionaries: dict[str, list[str]], segments: Sequence[tuple[str, str]]
    ) -> IntArray:
        """Return each row's place in the list of segments; -1 where the pair of names is none of them."""
        categories, strata = dictionaries["category"], dictionaries["stratum"]
        places = {pair: place for place, pair in enumerate(segments)}
        table = [[places.get((category, stratum), -1) for stratum in strata] for category in categories]
        lookup: npt.NDArray[np.int32] = np.array(table, dtype=np.int32).reshape(len(categories), len(strata))
        chosen: IntArray = lookup[found.arrays["category"], found.arrays["stratum"]]
        return chosen


def _places(names: Sequence[str], wanted: Sequence[str]) -> IntArray:
    places = {name: place for place, name in enumerate(wanted)}
    return np.array([places[name] for name in names], dtype=np.int32)
