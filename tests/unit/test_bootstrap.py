"""Which tables the settings name, and what is found of their older versions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from meantime.bootstrap import DatasetSource, build_service, dataset_sources, make_ingestor
from meantime.errors import SettingsError
from meantime.settings import NamedPath, Settings
from meantime.survey import bundled_table
from meantime.web.app import create_app
from tests.unit.survey.tables import ROW, csv_text, written


def _named(name: str, path: str) -> NamedPath:
    return NamedPath(name, Path(path))


def test_without_a_table_the_bundled_one_is_the_default() -> None:
    assert dataset_sources(Settings()) == (DatasetSource("default", bundled_table(), None),)


def test_a_mapping_without_a_name_is_for_the_first_table() -> None:
    settings = Settings(
        data=(_named("", "a.csv"), _named("wic", "b.csv"), _named("odd", "c.csv")),
        mapping=(_named("", "a.toml"), _named("odd", "c.toml")),
    )
    assert dataset_sources(settings) == (
        DatasetSource("default", Path("a.csv"), Path("a.toml")),
        DatasetSource("wic", Path("b.csv"), None),
        DatasetSource("odd", Path("c.csv"), Path("c.toml")),
    )


def test_a_file_whose_name_is_read_as_a_table_s_name_and_path_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "year=2021.csv").touch()
    with pytest.raises(SettingsError, match=r"year=2021\.csv is read as NAME=PATH.*; write \./year=2021\.csv"):
        dataset_sources(Settings(data=(_named("year", "2021.csv"),)))
    assert dataset_sources(Settings(data=(_named("", "./year=2021.csv"),)))[0].path == Path("year=2021.csv")


def test_two_tables_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="a.csv needs a name of its own: NAME=a.csv; default is taken"):
        dataset_sources(Settings(data=(_named("", "a.csv"), _named("default", "b.csv"))))


def test_a_mapping_for_no_table_is_refused() -> None:
    with pytest.raises(SettingsError, match="no table is called wic; there is brfss"):
        dataset_sources(Settings(data=(_named("brfss", "a.csv"),), mapping=(_named("wic", "b.toml"),)))


CHANGES = {
    # what is said otherwise after a restart: the file, what it holds then and now
    "the title in a mapping file": ("mapping.toml", '[source]\ntitle = "Ours"\n', '[source]\ntitle = "Theirs"\n'),
    "the title beside the table": ("table.provenance.json", '{"title": "Ours"}', '{"title": "Theirs"}'),
    "a figure in the table": ("table.csv", csv_text([ROW]), csv_text([ROW.replace("39.2", "38.8")])),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_result_that_is_lost_is_the_same_again_whatever_has_changed_by_then(what: str, tmp_path: Path) -> None:
    name, then, now = CHANGES[what]
    table, changed = written(tmp_path, csv_text([ROW])), written(tmp_path, then, name)
    mapping = (NamedPath("", changed),) if name == "mapping.toml" else ()
    settings = Settings(data=(NamedPath("ours", table),), mapping=mapping, state_dir=tmp_path / "state")
    request = {"statistic": "mean", "parameters": {"question": "Q036"}}
    with serving(settings) as client:
        client.post("/api/v1/jobs", json=request, headers={"Prefer": "wait=30"})
        before = client.get("/api/v1/jobs/1/result")
    for folder in (settings.results_dir, settings.store_dir / "stored"):
        shutil.rmtree(folder)
    changed.write_text(now)
    with serving(settings) as client:
        after = client.get("/api/v1/jobs/1/result")
        client.post("/api/v1/jobs", json=request, headers={"Prefer": "wait=30"})
        changed_result = client.get("/api/v1/jobs/2/result")
    assert before.status_code == changed_result.status_code == 200
    assert (after.data, after.headers["ETag"]) == (before.data, before.headers["ETag"])
    assert changed_result.data != before.data


@contextmanager
def serving(settings: Settings) -> Iterator[FlaskClient]:
    """Read the tables that the settings name, and serve them."""
    service = build_service(settings, [make_ingestor(settings).ingest()])
    try:
        yield create_app(service, settings).test_client()
    finally:
        service.close()
