"""The one place where parts are put together: settings -> cube -> store -> pool -> service.

The web application in front of a service is made by ``web/app.py``; the processes by ``serving/server_process.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from meantime.errors import SettingsError
from meantime.settings import NamedPath, Settings
from meantime.survey import bundled_table
from meantime.survey.ingest.data_ingestor import DataIngestor

if TYPE_CHECKING:
    from meantime.jobs.job import Job
    from meantime.jobs.state_directory import StateLock
    from meantime.service import MeantimeService
    from meantime.survey.ingest.dataset import Dataset

DEFAULT_DATASET = "default"


@dataclass(frozen=True, slots=True)
class DatasetSource:
    """Where one dataset is read from; ``mapping`` is None for a table of CDC's family."""

    name: str
    path: Path
    mapping: Path | None


def dataset_sources(settings: Settings) -> tuple[DatasetSource, ...]:
    """Return what the settings say is to be served, the default dataset first.

    Raises
    ------
    SettingsError
        Two tables have the same name, a mapping is for no table, or a file's name was read as NAME=PATH.
    """
    tables = settings.data or (NamedPath("", bundled_table()),)
    for table in tables:
        whole = Path(f"{table.name}={table.path}")
        if table.name and whole.exists() and not table.path.exists():
            raise SettingsError(f"DATA: {whole} is read as NAME=PATH, and there is no {table.path}; write ./{whole}")
    names = [table.name or DEFAULT_DATASET for table in tables]
    for table, name in zip(tables, names, strict=True):
        if names.count(name) > 1:
            raise SettingsError(f"DATA: {table.path} needs a name of its own: NAME={table.path}; {name} is taken")
    mappings = {mapping.name or names[0]: mapping.path for mapping in settings.mapping}
    strays = [name for name in mappings if name not in names]
    if strays:
        raise SettingsError(f"--mapping: no table is called {strays[0]}; there is {', '.join(names)}")
    return tuple(DatasetSource(name, table.path, mappings.get(name)) for name, table in zip(names, tables, strict=True))


def make_ingestor(settings: Settings, name: str | None = None) -> DataIngestor:
    """Return what reads one of the tables that the settings name, the first without a name; nothing is read yet."""
    sources = dataset_sources(settings)
    source = next(each for each in sources if name in (None, each.name))
    return DataIngestor(
        source.path,
        name=source.name,
        mapping=source.mapping,
        cache_directory=_cube_directory(settings),
        kept_versions=settings.kept_versions * len(sources),
    )


def _cube_directory(settings: Settings) -> Path:
    return settings.store_dir / "cubes"


def build_service(
    settings: Settings,
    datasets: Sequence[Dataset],
    *,
    state_lock: StateLock | None = None,
    on_job_end: Callable[[Job], None] | None = None,
) -> MeantimeService:
    """Open the store, take up what an earlier process left, and start the runners.

    Raises
    ------
    StoreError
        The state directory can't be used; the message says why and what to do.
    """
    # Half a second of imports, during which the ingest's child process can work already.
    from meantime.jobs.results.results_directory import ResultsDirectory, highest_result_number
    from meantime.jobs.results.retention import Retention
    from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
    from meantime.service import MeantimeService
    from meantime.survey.datasets.dataset_registry import DatasetRegistry
    from meantime.survey.ingest.cube_cache import CubeCache

    store = SqliteJobStore(
        settings.store_dir,
        state_lock=state_lock,
        highest_result=partial(highest_result_number, settings.results_dir),
    )
    try:
        service = MeantimeService(
            DatasetRegistry(datasets, archive=CubeCache(_cube_directory(settings))),
            store,
            ResultsDirectory(settings.results_dir, settings.store_dir / "stored"),
            thread_count=settings.threads,
            queue_capacity=settings.queue_capacity,
            queue_owner_percent=settings.queue_owner_percent,
            time_limit_s=settings.job_time_limit_s or None,
            retention=Retention(
                settings.retention_age_s or None, settings.retention_count, settings.retention_bytes or None
            ),
            make_ingestor=partial(make_ingestor, settings),
            on_job_end=on_job_end,
        )
        service.start()
    except BaseException:
        store.close()
        raise
    return service
