"""Which datasets are served, and which older versions unfinished jobs may still need."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from meantime.errors import DataError, StatisticError, UnknownDatasetError
from meantime.fields.refusals import nearest, shown
from meantime.survey.ingest.dataset import Dataset

LoadVersion = Callable[[str], Dataset | None]
"""Finds an older version of a dataset, given ``name@version``; None when it is no longer anywhere."""


class DatasetRegistry:
    """The datasets by name and by version. The first one is the default.

    Parameters
    ----------
    datasets
        At least one; names are different.
    load_version
        Called for a version that isn't in memory.
    """

    def __init__(self, datasets: Sequence[Dataset], *, load_version: LoadVersion | None = None) -> None:
        if not datasets:
            raise DataError("no dataset is given; name a table to serve")
        self._lock = threading.Lock()
        self._default = datasets[0].name  # written before start(), read-only after
        self._current = {dataset.name: dataset for dataset in datasets}  # guarded by self._lock
        self._older: dict[str, Dataset] = {}  # guarded by self._lock
        self._load_version = load_version

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
        name = key.partition("@")[0]
        with self._lock:
            found = self._current.get(name)
            if found is None or key_of(found) != key:
                found = self._older.get(key)
        if found is None and self._load_version is not None:
            found = self._load_version(key)
            if found is not None:
                with self._lock:
                    self._older[key] = found
        if found is None:
            raise StatisticError(f"the dataset version {key} is no longer here; submit the request again")
        return found

    def replace(self, dataset: Dataset, *, in_use: Collection[str] = ()) -> Dataset:
        """Serve a new version of a dataset and return the old one.

        Parameters
        ----------
        dataset
            The new version.
        in_use
            The versions (``name@version``) that unfinished jobs were accepted for; they stay in memory. So does the
            version that is replaced, for which a job may just be accepted. Others come from ``load_version``.

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
