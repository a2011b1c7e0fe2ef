"""Which datasets are served, and which older versions unfinished jobs may still need."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Sequence
from typing import Protocol

from meantime.errors import DataError, StatisticError, UnknownDatasetError, UnknownVersionError, VersionGoneError
from meantime.fields.refusals import nearest, shown
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.provenance import Provenance

MOST_LOADED = 4
"""How many older versions that were read from the archive are held in memory."""

_VERSION = re.compile("[0-9a-f]{64}", re.ASCII)


class Archive(Protocol):
    """Where older versions are kept."""

    def find_dataset(self, name: str, version: str) -> Dataset | None:
        """Return an older version of a dataset; None when it is no longer here."""
        ...

    def find_provenance(self, name: str, version: str) -> Provenance | None:
        """Return where a version came from, which may itself be gone; None when nothing is known of it."""
        ...


class DatasetRegistry:
    """The datasets by name and by version. The first one is the default.

    Parameters
    ----------
    datasets
        At least one; names are different.
    archive
        Has versions that aren't in memory; without it there are none.
    """

    def __init__(self, datasets: Sequence[Dataset], *, archive: Archive | None = None) -> None:
        if not datasets:
            raise DataError("no dataset is given; name a table to serve")
        self._lock = threading.Lock()
        self._default = datasets[0].name  # written before start(), read-only after
        self._current = {dataset.name: dataset for dataset in datasets}  # guarded by self._lock
        self._older: dict[str, Dataset] = {}  # guarded by self._lock, those that were needed first come first
        self._archive = archive

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the datasets, the default one first."""
        with self._lock:
            return tuple(self._current)

    def current(self, name: str | None = None) -> Dataset:
        """Return the version that is served now.

        Raises
        ------
        UnknownDatasetError
            No dataset has this name.
        """
        with self._lock:
            found = self._current.get(self._default if name is None else name)
            names = tuple(self._current)
        if found is None:
            raise UnknownDatasetError(
                f"no dataset is called {shown(name)}; there is {', '.join(names)}",
                field="dataset",
                accepted=names,
                nearest=nearest(str(name), names),
            )
        return found

    def version(self, key: str) -> Dataset:
        """Return the dataset version that a job was accepted for, ``name@version``.

        Raises
        ------
        StatisticError
            That version is no longer here.
        """
        found = self._find(key)
        if found is None:
            raise StatisticError(f"the dataset version {key} is no longer here; submit the request again")
        return found

    def kept(self, name: str | None, version: str) -> Dataset:
        """Return a version of a dataset that somebody asks for by its checksum.

        Raises
        ------
        UnknownDatasetError
            No dataset has this name.
        UnknownVersionError
            Nothing is known of such a version.
        VersionGoneError
            It was here and is no longer kept; the message says where it came from.
        """
        current = self.current(name)
        is_checksum = _VERSION.fullmatch(version) is not None
        found = self._find(f"{current.name}@{version}") if is_checksum else None
        if found is not None:
            return found
        source = (
            self._archive.find_provenance(current.name, version) if self._archive is not None and is_checksum else None
        )
        if source is None:
            raise UnknownVersionError(
                f"version: {shown(version)} is no version of {current.name} that is known here; the current one is"
                f" {current.version}",
                field="version",
                accepted=[current.version],
            )
        raise VersionGoneError(
            f"version {version} of {current.name} is no longer kept; it was: {source.citation} The current one is"
            f" {current.version}"
        )

    def _find(self, key: str) -> Dataset | None:
        """Return a version by ``name@version``: the current one, one in memory, or one of the archive."""
        name, _, version = key.partition("@")
        with self._lock:
            found = self._current.get(name)
            if found is None or key_of(found) != key:
                found = self._older.get(key)
        if found is None and self._archive is not None:
            found = self._archive.find_dataset(name, version)
            if found is not None:
                with self._lock:
                    self._older[key] = found
                    for oldest in list(self._older)[:-MOST_LOADED]:  # the archive has them
                        del self._older[oldest]
        return found

    def replace(self, dataset: Dataset, *, in_use: Collection[str] = ()) -> Dataset:
        """Serve a new version of a dataset and return the old one.

        Parameters
        ----------
        dataset
            The new version.
        in_use
            The versions (``name@version``) that unfinished jobs were accepted for; they stay in memory. So does the
            version that is replaced, for which a job may just be accepted. Others come from the archive.

        Raises
        ------
        UnknownDatasetError
            No dataset has this name.
        """
        old = self.current(dataset.name)
        with self._lock:
            self._current[dataset.name] = dataset
            if key_of(old) != key_of(dataset):
                kept = (key for key, each in self._older.items() if each.name != dataset.name or key in in_use)
                self._older = {key: self._older[key] for key in kept} | {key_of(old): old}
        return old


def key_of(dataset: Dataset) -> str:
    """Return ``name@version``."""
    return f"{dataset.name}@{dataset.version}"
