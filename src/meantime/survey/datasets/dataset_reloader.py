"""DatasetReloader: reads a dataset's source again and, if that succeeds, serves what it holds now.

The old version serves until the new one is there whole; jobs that were accepted for it finish on it. Who may ask for a
reload is not decided here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection

from meantime.errors import MeantimeError, ReloadError
from meantime.survey.datasets.dataset_registry import DatasetRegistry
from meantime.survey.datasets.drift import DriftReport, drift_between
from meantime.survey.ingest.data_ingestor import DataIngestor

_log = logging.getLogger(__name__)


class DatasetReloader:
    """Reloads the datasets of one registry, one at a time.

    Parameters
    ----------
    datasets
        What is served.
    make_ingestor
        Given a dataset's name, returns what reads its source.
    versions_in_use
        Returns the versions (``name@version``) that unfinished jobs were accepted for.
    clock
        Gives the time in seconds since the epoch.
    """

    def __init__(
        self,
        datasets: DatasetRegistry,
        make_ingestor: Callable[[str], DataIngestor],
        versions_in_use: Callable[[], Collection[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._datasets = datasets
        self._make_ingestor = make_ingestor
        self._versions_in_use = versions_in_use
        self._clock = clock
        self._turn = threading.Lock()  # held by the one who reloads
        self._lock = threading.Lock()
        self._reading: DataIngestor | None = None  # guarded by self._lock
        self._cancelled = False  # guarded by self._lock
        self._loaded_at = dict.fromkeys(datasets.names, clock())  # guarded by self._lock
        self._counts = {(name, outcome): 0 for name in datasets.names for outcome in ("done", "failed")}
        # _counts: guarded by self._lock
        self._reports: dict[str, DriftReport] = {}  # guarded by self._lock

    def reload(self, name: str | None = None) -> DriftReport:
        """Read a source again, serve what it holds, and say what changed; waits while another is read.

        Parameters
        ----------
        name
            Of the dataset; None is the default one.

        Raises
        ------
        UnknownDatasetError
            No dataset has this name.
        ReloadError
            The source can't be read; the old version is still served.
        """
        name = self._datasets.current(name).name
        with self._turn:
            try:
                report = self._reload(name)
            except MeantimeError as error:
                self._count(name, "failed")
                _log.error("reloading %s failed: %s", name, error)
                raise ReloadError(f"{error}; the version that was loaded before is still served") from error
            self._count(name, "done")
            _log.info("reloaded %s", report.summary)
            return report

    def reload_all(self) -> list[DriftReport]:
        """Reload every dataset; one that can't be read is logged, and doesn't keep the others from it."""
        reports = []
        for name in self._datasets.names:
            try:
                reports.append(self.reload(name))
            except ReloadError:  # logged where it was raised
                continue
        return reports

    def cancel(self) -> None:
        """Give up what is being read, and read nothing more; never blocks for long."""
        with self._lock:
            self._cancelled = True
            if self._reading is not None:
                self._reading.cancel()

    def loaded_at(self) -> dict[str, float]:
        """Return when each dataset's current version was loaded, in seconds since the epoch."""
        with self._lock:
            return dict(self._loaded_at)

    def latest_report(self, name: str) -> DriftReport | None:
        """Return what the latest reload of a dataset changed; None before the first."""
        with self._lock:
            return self._reports.get(name)

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many reloads of each dataset were ``done`` and how many ``failed``."""
        with self._lock:
            return dict(self._counts)

    def _reload(self, name: str) -> DriftReport:
        ingestor = self._make_ingestor(name)
        with self._lock:
            if self._cancelled:
                raise ReloadError("the server is about to end")
            self._reading = ingestor
        try:
            dataset = ingestor.ingest()
        finally:
            with self._lock:
                self._reading = None
        old = self._datasets.replace(dataset, in_use=self._versions_in_use())
        with self._lock:
            self._loaded_at[name] = self._clock()
        report = drift_between(old, dataset)
        with self._lock:
            self._reports[name] = report
        return report

    def _count(self, name: str, outcome: str) -> None:
        with self._lock:
            self._counts[name, outcome] += 1
