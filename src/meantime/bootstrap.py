"""The one place where parts are put together: settings -> cube -> store -> pool -> service.

The web application in front of a service is made by ``web/app.py``; the processes by ``cli/server_process.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from meantime.settings import Settings
from meantime.survey import bundled_table
from meantime.survey.data_ingestor import DataIngestor

if TYPE_CHECKING:
    from meantime.service import MeantimeService
    from meantime.survey.dataset import Dataset

DEFAULT_DATASET = "default"


def make_ingestor(settings: Settings) -> DataIngestor:
    """Return what reads the table that the settings name; nothing is read yet."""
    return DataIngestor(
        settings.data or bundled_table(),
        name=DEFAULT_DATASET,
        mapping=settings.mapping,
        cache_directory=settings.store_dir / "cubes",
    )


def build_service(settings: Settings, datasets: Sequence[Dataset]) -> MeantimeService:
    """Open the store, take up what an earlier process left, and start the runners.

    Raises
    ------
    StoreError
        The state directory can't be used; the message says why and what to do.
    """
    # Half a second of imports, during which the ingest's child process can work already.
    from meantime.jobs.results_directory import ResultsDirectory
    from meantime.jobs.sqlite_job_store import SqliteJobStore
    from meantime.service import MeantimeService
    from meantime.survey.dataset_registry import DatasetRegistry

    store = SqliteJobStore(settings.store_dir)
    try:
        service = MeantimeService(
            DatasetRegistry(datasets),
            store,
            ResultsDirectory(settings.results_dir, settings.store_dir / "stored"),
            thread_count=settings.threads,
            queue_capacity=settings.queue_capacity,
            time_limit_s=settings.job_time_limit_s or None,
            retention_age_s=settings.retention_age_s,
            retention_count=settings.retention_count,
        )
        service.start()
    except BaseException:
        store.close()
        raise
    return service
