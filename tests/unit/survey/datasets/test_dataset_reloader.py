"""Reading a source again while its older version is served."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from meantime.errors import ReloadError, StatisticError, UnknownDatasetError
from meantime.survey.datasets.dataset_registry import DatasetRegistry, key_of
from meantime.survey.datasets.dataset_reloader import DatasetReloader
from meantime.survey.datasets.drift import Change
from meantime.survey.ingest.data_ingestor import DataIngestor
from tests.unit.survey.tables import ROW, csv_text, written

pytestmark = pytest.mark.slow


class Desk:
    """Two tables, their registry, and what reloads them."""

    def __init__(self, folder: Path) -> None:
        self.sources = {name: written(folder, csv_text([ROW]), f"{name}.csv") for name in ("brfss", "wic")}
        self.in_use: set[str] = set()
        self.registry = DatasetRegistry([self.ingestor(name).ingest() for name in self.sources])
        self.reloader = DatasetReloader(self.registry, self.ingestor, lambda: self.in_use, lambda: 1234.0)

    def ingestor(self, name: str) -> DataIngestor:
        return DataIngestor(self.sources[name], name=name)

    def write(self, name: str, *rows: str) -> None:
        self.sources[name].write_text(csv_text(rows))

    def value(self, key: str) -> float:
        return float(self.registry.version(key).cube.cells.value_sum[0])


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_reload_serves_the_new_file_and_says_what_changed(desk: Desk) -> None:
    desk.write("brfss", ROW.replace("39.2", "38.2"), ROW.replace("Alabama", "Utah"))
    report = desk.reloader.reload()
    assert report.locations == Change(("Utah",), ())
    assert report.cells.changed_count == 1
    assert report.cells.largest_change == pytest.approx(1.0)
    assert [place.name for place in desk.registry.current().cube.locations] == ["Alabama", "Utah"]
    assert desk.reloader.counts()["brfss", "done"] == 1


def test_a_version_that_a_job_needs_outlives_several_reloads_and_others_go(desk: Desk) -> None:
    first = key_of(desk.registry.current())
    desk.in_use = {first}
    desk.write("brfss", ROW.replace("39.2", "38.0"))
    second = desk.reloader.reload("brfss").version_after
    desk.write("brfss", ROW.replace("39.2", "37.0"))
    desk.reloader.reload("brfss")
    assert (desk.value(first), desk.value(f"brfss@{second}")) == (39.2, 38.0)
    desk.in_use = set()
    desk.write("brfss", ROW.replace("39.2", "36.0"))
    desk.reloader.reload("brfss")
    with pytest.raises(StatisticError, match="no longer here"):
        desk.value(first)


def test_a_broken_new_file_leaves_the_old_version_serving(desk: Desk) -> None:
    before = desk.registry.current()
    desk.write("brfss", ROW.replace("39.2", "many"))
    with pytest.raises(ReloadError, match="line 2, column 'Data_Value'.*still served"):
        desk.reloader.reload("brfss")
    assert desk.registry.current() is before
    assert desk.reloader.counts()["brfss", "failed"] == 1


def test_one_broken_file_does_not_keep_the_others_from_being_reloaded(desk: Desk) -> None:
    desk.sources["brfss"].unlink()
    desk.write("wic", ROW, ROW.replace("Alabama", "Utah"))
    assert [report.dataset for report in desk.reloader.reload_all()] == ["wic"]
    assert len(desk.registry.current("wic").cube.locations) == 2


def test_an_unknown_dataset_is_named_with_those_there_are(desk: Desk) -> None:
    with pytest.raises(UnknownDatasetError, match="'brfs'; there is brfss, wic"):
        desk.reloader.reload("brfs")


def test_once_cancelled_nothing_is_read_any_more(desk: Desk) -> None:
    desk.reloader.cancel()
    with pytest.raises(ReloadError, match="about to end"):
        desk.reloader.reload()


def test_reloads_of_many_callers_take_turns_and_all_succeed(desk: Desk) -> None:
    start = threading.Barrier(3)
    versions: list[str] = []

    def reload() -> None:
        start.wait()
        versions.append(desk.reloader.reload("wic").version_after)

    threads = [threading.Thread(target=reload) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions == [desk.registry.current("wic").version] * 3
    assert desk.reloader.counts()["wic", "done"] == 3
