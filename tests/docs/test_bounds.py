"""The table of bounds in SECURITY.md: each row has its test, and each kind of place its row."""

from __future__ import annotations

import re

from meantime.settings import Settings
from meantime.web.places import PROBE_RESERVE, AllPlaces
from tests.conftest import PROJECT

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


def test_each_bound_has_all_six_cells() -> None:
    assert {len(cells) for cells in ROWS} == {6}
