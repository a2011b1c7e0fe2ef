"""What an ingest makes of rows that are odd but readable, and what it reports of them."""

from __future__ import annotations

import gzip
import io
import math
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest
from backports import zstd

from meantime.errors import DataError
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.ingest_report import IngestReport
from meantime.survey.reading.left_out_rows import LeftOutRow
from tests.unit.survey.equal_cubes import assert_equal_cubes
from tests.unit.survey.tables import HEADER, ROW, csv_text, read, written

pytestmark = pytest.mark.slow


def row(**changes: str) -> str:
    """Return `ROW` with other fields, by column name."""
    fields = dict(zip((name.strip() for name in HEADER), ROW.split(","), strict=True))
    assert changes.keys() <= fields.keys()
    return ",".join((fields | changes).values())


POOL = "[rows]\npool = true"


def read_rows(folder: Path, *lines: str, mapping: str = "") -> tuple[SurveyCube, IngestReport]:
    return read(written(folder, csv_text(lines)), mapping)


def test_a_row_with_a_category_but_no_stratum_has_neither(tmp_path: Path) -> None:
    cube, _ = read_rows(tmp_path, row(Stratification1=""), row(StratificationCategory1="", YearStart="2022"), ROW)
    assert [(segment.category, segment.stratum) for segment in cube.segments] == [("", ""), ("Total", "Total")]
    assert cube.cells.row_count.tolist() == [1, 1, 1]
    assert cube.segments[0].is_blank


def test_rows_without_question_location_or_year_are_left_out_and_named(tmp_path: Path) -> None:
    lines = [
        ROW,
        row(Question=""),
        row(Data_Value_Footnote='"two\nlines"', YearStart="2022"),
        row(LocationDesc=" "),
        "",
        row(YearStart="", Question=""),
    ]
    cube, report = read_rows(tmp_path, *lines)
    assert report.left_out_examples == (
        LeftOutRow(3, "Question", "no question"),
        LeftOutRow(6, "LocationDesc", "no location"),
        LeftOutRow(8, "Question", "no question"),
    )
    assert (report.row_count, report.left_out_count, report.value_count) == (5, 3, 2)
    assert len(cube.cells) == 2


def test_only_the_first_five_left_out_rows_are_named(tmp_path: Path) -> None:
    _, report = read_rows(tmp_path, ROW, *[row(YearStart="")] * 9)
    assert report.left_out_count == 9
    assert [example.line for example in report.left_out_examples] == [3, 4, 5, 6, 7]


def test_blanks_around_fields_are_cut_off(tmp_path: Path) -> None:
    padded = ",".join(f" {field}\t" for field in ROW.split(","))
    cube, report = read_rows(tmp_path, padded, row(YearStart="2022"))
    expected, _ = read_rows(tmp_path, ROW, row(YearStart="2022"))
    assert_equal_cubes(cube, expected)
    assert cube.locations == expected.locations
    assert cube.questions == expected.questions
    assert report.notes == ()


def test_a_number_of_nothing_but_blanks_is_missing(tmp_path: Path) -> None:
    cube, report = read_rows(tmp_path, row(Data_Value="   ", Sample_Size=" "), row(YearStart="2022"))
    assert report.suppressed_count == 1
    assert cube.cells.value_count.tolist() == [1, 0]


def test_a_cell_keeps_the_file_s_limits_only_when_it_is_one_estimate(tmp_path: Path) -> None:
    cube, _ = read_rows(tmp_path, ROW, row(YearStart="2022"), row(YearStart="2022", Data_Value="40.0"), mapping=POOL)
    assert cube.cells.low.tolist()[1:] == [37.5]
    assert np.isnan(cube.cells.low[0])
    assert cube.cells.variance_count.tolist() == [2, 1]


def test_limits_in_the_wrong_order_give_no_standard_error(tmp_path: Path) -> None:
    cube, report = read_rows(tmp_path, row(Low_Confidence_Limit="50"))
    assert cube.cells.variance_count.tolist() == [0]
    assert cube.cells.value_sum.tolist() == [39.2]
    assert [note.kind for note in report.notes][:2] == ["limits_reversed", "without_limits"]


def test_limits_without_width_count_as_variance_but_not_as_precision(tmp_path: Path) -> None:
    cube, _ = read_rows(tmp_path, row(Low_Confidence_Limit="39.2", High_Confidence_Limit="39.2"))
    assert (cube.cells.variance_count[0], cube.cells.precision_count[0]) == (1, 0)
    assert (cube.cells.variance_sum[0], cube.cells.precision_sum[0]) == (0.0, 0.0)


@pytest.mark.parametrize("size", ["0", "-5", ""])
def test_a_sample_size_that_is_not_above_0_is_no_weight(size: str, tmp_path: Path) -> None:
    cube, _ = read_rows(tmp_path, row(Sample_Size=size))
    assert (cube.cells.sample_count[0], cube.cells.sample_size_sum[0]) == (0, 0.0)


def test_several_footnotes_in_one_cell_are_counted_exactly(tmp_path: Path) -> None:
    notes = [row(Data_Value_Footnote=note, Data_Value="") for note in ("b", "a", "b", "")]
    _, report = read_rows(tmp_path, *notes, row(Data_Value_Footnote="", Data_Value_Footnote_Symbol="~"), mapping=POOL)
    assert report.footnotes == {"a": 1, "b": 1, "~": 1}


def test_a_location_with_two_abbreviations_is_reported(tmp_path: Path) -> None:
    cube, report = read_rows(tmp_path, ROW, row(LocationAbbr="AK", YearStart="2022"))
    [note] = report.notes
    assert note.text == "more than one id or abbreviation for 'Alabama'; the last one is kept"
    assert not note.concerns_answers
    assert [location.abbreviation for location in cube.locations] == ["AL"]


def test_names_of_left_out_rows_alone_are_not_in_the_cube(tmp_path: Path) -> None:
    cube, _ = read_rows(tmp_path, ROW, row(YearStart="", LocationDesc="Nowhere", Stratification1="Nobody"))
    assert [location.name for location in cube.locations] == ["Alabama"]
    assert [segment.stratum for segment in cube.segments] == ["Total"]


def test_values_far_from_0_keep_their_deviations(tmp_path: Path) -> None:
    values = ["1000000000.1", "1000000000.2", "1000000000.4"]
    cube, _ = read_rows(tmp_path, *(row(Data_Value=value) for value in values), mapping=POOL)
    numbers = [float(value) for value in values]
    mean = sum(number - 1e9 for number in numbers) / 3 + 1e9
    expected = sum((number - mean) ** 2 for number in numbers)
    np.testing.assert_allclose(cube.cells.value_m2, [expected], rtol=1e-6)


def test_a_byte_order_mark_is_not_part_of_the_first_name(tmp_path: Path) -> None:
    cube, report = read(written(tmp_path, b"\xef\xbb\xbf" + csv_text([ROW]).encode()))
    assert report.columns["year"] == "YearStart"
    assert len(cube.cells) == 1


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_read_too(end: str, tmp_path: Path) -> None:
    cube, _ = read(written(tmp_path, csv_text([ROW, row(YearStart="2022")]).replace("\n", end)))
    assert cube.years == (2022, 2023)


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    cube, _ = read(written(tmp_path, csv_text([ROW]).rstrip("\n")))
    assert len(cube.cells) == 1


def test_columns_may_come_in_any_order_case_and_company(tmp_path: Path) -> None:
    header = ["", "data_value", "QUESTION", "location desc", "Year Start", "", "spare"]
    text = "0,12.5,Percent of adults who have obesity,Ohio,2020,x,y\n"
    cube, report = read(written(tmp_path, ",".join(header) + "\n" + text))
    assert (cube.cells.value_sum.tolist(), cube.locations[0].name) == ([12.5], "Ohio")
    assert report.columns["location"] == "location desc"
    assert set(report.columns_missing) >= {"low", "high", "sample_size", "fips"}


def test_a_table_without_strata_is_about_everybody(tmp_path: Path) -> None:
    cube, _ = read(written(tmp_path, "Question,LocationDesc,YearStart,Data_Value\nQ,Ohio,2020,1\n"))
    assert [(segment.category, segment.is_overall) for segment in cube.segments] == [("Total", True)]


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".csv": bytes,
    ".csv.gz": gzip.compress,
    ".csv.zst": zstd.compress,
    ".CSV.GZ": lambda content: gzip.compress(content[:100]) + gzip.compress(content[100:]),
}


@pytest.mark.parametrize("ending", PACKERS)
def test_a_packed_table_is_read_like_a_plain_one(ending: str, tmp_path: Path) -> None:
    text = csv_text([ROW, row(YearStart="2022", LocationDesc="Curaçao")])
    expected, _ = read(written(tmp_path, text))
    cube, _ = read(written(tmp_path, PACKERS[ending](text.encode()), f"packed{ending}"))
    assert_equal_cubes(cube, expected, rtol=0)


def test_a_zip_may_hold_other_things_than_its_one_csv(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/table.CSV", csv_text([ROW]))
        archive.writestr("readme.txt", "a table")
        archive.writestr("__MACOSX/data/._table.csv", b"\x00")
    assert len(read(written(tmp_path, packed.getvalue(), "table.zip"))[0].cells) == 1


@pytest.mark.parametrize("ending", [".csv.gz", ".csv.zst", ".zip"])
def test_a_packed_table_larger_than_the_limit_is_refused(ending: str, tmp_path: Path) -> None:
    content = b"0" * 50_000
    if ending == ".zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("table.csv", content)
        content = packed.getvalue()
    else:
        content = PACKERS[ending](content)
    source = written(tmp_path, content, f"bomb{ending}")
    with pytest.raises(DataError, match=f"bomb{ending}: holds more than 49,999 bytes when it is unpacked"):
        read(source, size_limit_bytes=49_999)


def parquet(folder: Path, query: str) -> Path:
    path = folder / "table.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def test_a_parquet_file_is_read_like_the_csv_it_was_made_from(tmp_path: Path) -> None:
    text = csv_text([ROW, row(Data_Value="", YearStart="2022"), row(Question=""), row(LocationDesc="Curaçao")])
    source = written(tmp_path, text)
    expected, expected_report = read(source)
    cube, report = read(parquet(tmp_path, f"SELECT * FROM read_csv('{source}', header = true)"))
    assert_equal_cubes(cube, expected)
    assert cube.locations == expected.locations
    assert report.left_out_examples == (LeftOutRow(3, "Question", "no question", "row"),), "rows are counted from 1"
    assert report.value_count == expected_report.value_count


TYPED = "SELECT 'Q' AS Question, 'Ohio' AS LocationDesc, {year} AS YearStart, {value} AS Data_Value"


def test_a_parquet_nan_is_a_missing_value(tmp_path: Path) -> None:
    rows = [TYPED.format(year=2020, value="1.5::DOUBLE"), TYPED.format(year=2021, value="'NaN'::DOUBLE")]
    _, report = read(parquet(tmp_path, " UNION ALL ".join(rows)))
    assert (report.value_count, report.suppressed_count) == (1, 1)


def test_a_parquet_nan_is_missing_where_the_file_s_statistics_know_nothing_of_it(tmp_path: Path) -> None:
    """Some writers leave NaN out of a column's least and greatest value; an engine then says that none is there."""
    rows = [TYPED.format(year=2020 + place, value=f"{value}::DOUBLE") for place, value in enumerate((1.0, 2.5, 4.0))]
    path = tmp_path / "table.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({' UNION ALL '.join(rows)}) TO '{path}' (FORMAT parquet, COMPRESSION uncompressed)")
    content = path.read_bytes()
    assert content.count(struct.pack("<d", 2.5)) == 1
    path.write_bytes(content.replace(struct.pack("<d", 2.5), struct.pack("<d", math.nan)))
    cube, report = read(path)
    assert (report.value_count, report.suppressed_count) == (2, 1)
    assert cube.cells.value_sum.tolist() == [1.0, 0.0, 4.0]


@pytest.mark.parametrize("value", ["38.3::FLOAT", "38.3::DECIMAL(5, 2)", "'38.3'", "38.3::DOUBLE"])
def test_a_parquet_number_is_the_shortest_decimal_that_gives_it(value: str, tmp_path: Path) -> None:
    cube, _ = read(parquet(tmp_path, TYPED.format(year=2020, value=value)))
    assert cube.cells.value_sum.tolist() == [38.3]


@pytest.mark.parametrize(
    ("year", "value", "problem"),
    [
        ("2020", "'12 x'", "row 1, column 'Data_Value': '12 x' is no number"),
        ("2020", "true", "row 1, column 'Data_Value': 'True' is no number"),
        ("2020", "DATE '2020-01-01'", "row 1, column 'Data_Value': '2020-01-01' is no number"),
        ("2020", "'inf'::DOUBLE", "row 1, column 'Data_Value': 'inf' is no number"),
        ("TIME '12:00:00'", "1.5", "row 1, column 'YearStart': '12:00:00' is no year"),
        ("2020.5", "1.5", "row 1, column 'YearStart': '2020.5' is no year"),
    ],
)
def test_a_faulty_parquet_field_is_named_by_its_row(year: str, value: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(parquet(tmp_path, TYPED.format(year=year, value=value)))
    assert problem in str(caught.value)


def test_an_empty_parquet_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no rows"):
        read(parquet(tmp_path, f"{TYPED.format(year=2020, value=1.5)} WHERE false"))
