"""Engines: each small file opens a source as a narwhals frame and hands arrays back.

An engine knows its own library and nothing of questions or cells; what is computed is written once, in
``estimate_rows.py`` and ``cube/rollup.py``. To add one, write a class with the methods of `Engine` and let
``table_reader.open_table`` open it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import narwhals as nw
    from narwhals.typing import IntoLazyFrame

    Frame = nw.LazyFrame[IntoLazyFrame]

NumberArray = npt.NDArray[np.float64] | npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Arrays:
    """The columns of a frame: numbers as they are, texts as codes into their own dictionary, sorted by code point."""

    numbers: Mapping[str, NumberArray]
    codes: Mapping[str, npt.NDArray[np.int32]]
    dictionaries: Mapping[str, tuple[str, ...]]

    def texts(self, name: str) -> list[str]:
        """Return the texts of one column."""
        dictionary = self.dictionaries[name]
        return [dictionary[code] for code in self.codes[name].tolist()]

    def counts(self, name: str) -> list[int]:
        """Return the numbers of one column, which are whole."""
        return [int(number) for number in self.numbers[name].tolist()]


class EngineError(Exception):
    """An engine could not read or compute; its message is the library's first line."""


class Engine(Protocol):
    """What the ingest needs of a library."""

    name: str

    def parquet_columns(self, path: str) -> tuple[str, ...]:
        """Return the names of a Parquet file's columns."""
        ...

    def open_csv(self, path: str, delimiter: str, column_count: int, wanted: Mapping[str, int]) -> Frame:
        """Return the wanted columns (name -> position) of a CSV file with a header, as text."""
        ...

    def open_parquet(self, path: str, wanted: Mapping[str, int]) -> Frame:
        """Return the wanted columns (name -> position) of a Parquet file."""
        ...

    def texts(self, columns: Mapping[str, Sequence[str]]) -> Frame:
        """Return a frame of texts that are at hand, by column."""
        ...

    def keep(self, frame: Frame) -> Frame:
        """Compute a frame once, so that later questions don't read the source again."""
        ...

    def arrays(self, frame: Frame, numbers: Sequence[str], texts: Sequence[str]) -> Arrays:
        """Return columns of a kept frame in the order of its rows; nulls aren't allowed."""
        ...

    def rows(self, frame: Frame) -> Iterator[tuple[object, ...]]:
        """Yield a frame's rows in the order of the source."""
        ...

    def progress(self) -> float:
        """Return the part of the running computation that is done, 0 to 1; called from another thread."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
