"""The table of bounds in SECURITY.md: each row has its test, and each kind of place its row."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from meantime.bootstrap import build_service
from meantime.settings import Settings
from meantime.web.app import create_app
from meantime.web.observation.access_log import AccessLog
from meantime.web.places import PROBE_RESERVE, AllPlaces
from tests.conftest import PROJECT
from tests.datasets import dataset_of

TEXT = (PROJECT / "SECURITY.md").read_text("utf-8").partition("## Bounds")[2]
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in TEXT.splitlines() if line.startswith("| ")][1:]
TESTS = {
    name
    for path in (PROJECT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}


def test_each_bound_names_tests_that_there_are() -> None:
    named = [re.findall(r"`(test_\w+)`", cells[-1]) for cells in ROWS]
    assert all(named)
    assert {name for names in named for name in names} <= TESTS


def test_each_kind_of_place_has_its_row() -> None:
    kinds = re.findall(r"\(`([a-z_]+)`\) \|", TEXT)
    assert sorted(kinds) == sorted(AllPlaces.for_threads(Settings().http_threads).named())


def test_the_figures_are_those_of_the_default_threads() -> None:
    places = AllPlaces.for_threads(Settings().http_threads)
    figures = {cells[0]: (cells[1], cells[2]) for cells in ROWS}
    for kind in ("requests", "streams", "waits", "lists"):
        bound, share = next(found for name, found in figures.items() if f"`{kind}`" in name)
        assert bound.startswith(f"{places.named()[kind].bound},")
        assert share.startswith((str(places.named()[kind].share), "half"))
    assert f"{PROBE_RESERVE} threads are kept" in TEXT


def test_each_bound_has_all_seven_cells() -> None:
    assert {len(cells) for cells in ROWS} == {7}


def test_each_bound_shows_in_the_metrics_by_what_is_held_or_by_what_was_refused(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    service = build_service(settings, [dataset_of([], "empty")])
    log = AccessLog(tmp_path / "webserver.log")
    client = create_app(service, settings, access_log=log).test_client()
    client.get("/nowhere")
    families = {family.name: family for family in text_string_to_metric_families(client.get("/metrics").text)}
    service.close()
    for cells in ROWS:
        metric = re.fullmatch(r"`(meantime_\w+)(\{status=[\d, ]+\})?`", cells[5])
        assert metric is not None, cells[0]
        family = families[metric[1]]
        assert family.samples, cells[0]
        # What only one request can hold is counted by the status of its refusal; all else has a gauge.
        assert family.type == ("histogram" if metric[2] else "gauge"), cells[0]
        if "`meantime_places_used`" in cells[5]:
            (kind,) = re.findall(r"\(`([a-z_]+)`\)", cells[0])
            assert kind in {sample.labels["kind"] for sample in family.samples}
