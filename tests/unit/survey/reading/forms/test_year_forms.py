"""Years are read off dates, and off spans by a rule; what is no year from 1000 to 2100 is refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from meantime.errors import DataError
from tests.unit.survey.tables import csv_text, read, written

pytestmark = pytest.mark.slow

HEADER = ("Question", "LocationDesc", "YearStart", "Data_Value")


def table(*years: str) -> str:
    return csv_text((f'Q,L{place},"{year}",5' for place, year in enumerate(years)), HEADER)


@pytest.mark.parametrize(
    "text",
    [
        "2019", "2019.0", "2019-01-01", "2019-12-31T23:59:59Z", "2019-01-01 00:00:00.000", "2019/01/31", "20190131",
        "31/12/2019", "12/31/2019 0:00", "31.12.2019", "2019 Q1", "2019Q4", "Q2 2019", "2019M03", "Jan 2019",
        "December, 2019", "FY2019", "FY 2019",
    ],
)  # fmt: skip
def test_the_year_of_a_date_is_read(text: str, tmp_path: Path) -> None:
    assert read(written(tmp_path, table(text)))[0].years == (2019,)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2011-2012", 2011, 2012), ("2011\u20132014", 2011, 2014), ("2019/20", 2019, 2020), ("1999/00", 1999, 2000),
        ("2010-14", 2010, 2014), ("2011 - 2012", 2011, 2012), ("2011 to 2012", 2011, 2012), ("2011-12", 2011, 2012),
    ],
)  # fmt: skip
def test_a_span_means_the_year_that_a_rule_states(text: str, first: int, last: int, tmp_path: Path) -> None:
    source = written(tmp_path, table(text))
    with pytest.raises(DataError, match='state `year = "first"` or "last" under'):
        read(source)
    for rule, expected in (("first", first), ("last", last)):
        cube, report = read(source, f'[file]\nyear = "{rule}"')
        assert cube.years == (expected,)
        [note] = [note for note in report.notes if note.kind == "year_spans"]
        assert note.text == f"'YearStart' holds spans such as {text!r}: their {rule} year counts"
        assert note.concerns_answers


def test_months_are_told_from_spans_when_one_of_them_can_be_no_span(tmp_path: Path) -> None:
    assert read(written(tmp_path, table("2011-12", "2012-03")))[0].years == (2011, 2012)


@pytest.mark.parametrize(
    "text", ["1", "19", "999", "2101", "43466", "20190000", "2011.5", "-2011", "1e3.5", "Total", "2019p"]
)
def test_what_is_no_plausible_year_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"line 3, column 'YearStart': '{text}' is no year"):
        read(written(tmp_path, table("2019", text)))


def test_a_column_of_numbers_below_a_thousand_asks_for_another_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no year from 1000 to 2100; is another column the year"):
        read(written(tmp_path, table("1", "2", "3")))


@pytest.mark.parametrize("year", ["DATE '2021-03-01'", "TIMESTAMP '2021-03-01 12:00:00'", "2021::SMALLINT", "2021.0"])
def test_the_year_of_a_parquet_date_is_read(year: str, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    with duckdb.connect() as connection:
        row = f"SELECT 'Q' AS Question, 'Ohio' AS LocationDesc, {year} AS YearStart, 5 AS Data_Value"
        connection.execute(f"COPY ({row}) TO '{path}' (FORMAT parquet)")
    assert read(path)[0].years == (2021,)


def test_a_year_that_ends_later_is_noted_with_its_rows(tmp_path: Path) -> None:
    lines = ["Q,Ohio,2016,2020,5", "Q,Utah,2020,2020,5", "Q,Iowa,2015,2019,5"]
    _, report = read(
        written(tmp_path, csv_text(lines, ("Question", "LocationDesc", "YearStart", "YearEnd", "Data_Value")))
    )
    [note] = [note for note in report.notes if note.kind == "year_ends"]
    assert (note.count, note.lines) == (2, (2, 4))
