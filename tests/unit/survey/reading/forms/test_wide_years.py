"""A table with years as columns: refused with the lines that help, or each year becomes a row."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from meantime.errors import DataError
from tests.unit.survey.tables import read, written

WIDE = "State,2018,2019,2020\nOhio,20.5,20.8,\nUtah,9.0,7.9,8.2\n"
FIXED = '[fixed]\nquestion = "Smoking"\n[columns]\nlocation = "State"\n'


def test_years_as_columns_are_named_with_the_setting_that_makes_them_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, WIDE))
    assert 'years (2018, 2019, 2020) seem to be columns: state `years = "{year}"` under [wide]' in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "header"),
    [
        ("{year}", "2018"),
        ("Y{year}", "Y2018"),
        ("{year} [YR{year}]", "2018 [YR2018]"),
        ("rate ({year})", "rate (2018)"),
    ],
)
def test_each_year_becomes_a_row(pattern: str, header: str, tmp_path: Path) -> None:
    text = WIDE
    for year in ("2018", "2019", "2020"):
        text = text.replace(year, header.replace("2018", year))
    cube, report = read(written(tmp_path, text), f'{FIXED}[wide]\nyears = "{pattern}"')
    places = {(cube.locations[place].name, year): value for place, year, value in _cells(cube)}
    rows = csv.DictReader(WIDE.splitlines())
    expected = {(row["State"], int(year)): float(row[year] or "0") for row in rows for year in ("2018", "2019", "2020")}
    assert places == expected
    assert (report.row_count, report.value_count) == (6, 5)


def _cells(cube: object) -> list[tuple[int, int, float]]:
    from meantime.survey.cube.survey_cube import SurveyCube

    assert isinstance(cube, SurveyCube)
    cells = cube.cells
    return list(zip(cells.location.tolist(), cells.year.tolist(), cells.value_sum.tolist(), strict=True))


def test_spans_of_years_as_columns_follow_the_rule(tmp_path: Path) -> None:
    mapping = f'{FIXED}[wide]\nyears = "{{year}}"\n[file]\nyear = "last"'
    cube, _ = read(written(tmp_path, "State;2018/19;2019/20\nOhio;1,5;2,5\n"), mapping)
    assert (cube.years, cube.cells.value_sum.tolist()) == ((2019, 2020), [1.5, 2.5])


def test_a_value_that_is_no_number_is_named_by_the_column_of_its_year(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3, column '2019': 'x' is no number"):
        read(written(tmp_path, WIDE.replace("7.9", "x")), f'{FIXED}[wide]\nyears = "{{year}}"')


def test_a_pattern_that_no_header_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column's name is 'Y{year}'"):
        read(written(tmp_path, WIDE), f'{FIXED}[wide]\nyears = "Y{{year}}"')


def test_a_wide_parquet_file_is_read_like_the_csv_it_was_made_from(tmp_path: Path) -> None:
    source, path = written(tmp_path, WIDE), tmp_path / "table.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM read_csv('{source}', header = true)) TO '{path}' (FORMAT parquet)")
    mapping = f'{FIXED}[wide]\nyears = "{{year}}"'
    assert _cells(read(path, mapping)[0]) == _cells(read(source, mapping)[0])
