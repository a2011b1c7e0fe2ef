"""Results as CSV, JSON-stat and Parquet, read back by other programs."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import orjson
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyjstat import pyjstat

from meantime.errors import DataError
from meantime.formats.csv_file import encode_csv
from meantime.formats.json_stat import encode_json_stat
from meantime.formats.parquet import encode_parquet

Record = dict[str, object]


def record(location: str, value: float | None, **further: object) -> Record:
    reliability = "ok" if value is not None else "suppressed"
    return {"location": location, "year": 2023, "value": value, "reliability": reliability} | further


RECORDS = [
    record("Ohio", 36.4, rank=2, tied=False),
    record("Utah", None, rank=None, tied=False),
    record("Wyoming", 30.25, rank=1, tied=True),
]


def answer(records: list[Record]) -> dict[str, object]:
    return {
        "records": records,
        "unit": "percent",
        "method": "ranking/1: order",
        "cautions": ["one estimate is suppressed"],
        "provenance": {"citation": "CDC. A survey."},
    }


# ---- CSV --------------------------------------------------------------------------------------------------------


def test_pandas_reads_the_csv_back() -> None:
    frame = pd.read_csv(io.BytesIO(encode_csv(answer(RECORDS))))
    assert list(frame.columns) == [*RECORDS[0], "unit", "citation"]
    assert frame["value"].tolist()[::2] == [36.4, 30.25]
    assert frame["value"].isna().tolist() == [False, True, False]
    assert frame["tied"].tolist() == [False, False, True]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_text_is_a_formula_for_a_spreadsheet(start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    rows = list(csv.reader(io.StringIO(encode_csv(answer([record(text, 1.0)])).decode(), newline="")))
    assert rows[1][0] == f"'{text}"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x;  @SUM(1)", "x;'  @SUM(1)"),
        ("a\tb\t-1", "a\tb\t'-1"),
        ("a|=1", "a|'=1"),
        ("two\n=lines", "two\n'=lines"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20A1", "'\uff20A1"),
        ("\ufe661", "'\ufe661"),
        ("\u22121", "'\u22121"),
        (" =1", "' =1"),
        ('a;"=1"', 'a;\'"=1"'),
        ("\u00a0=1", "'\u00a0=1"),
        ("18 - 24", "18 - 24"),
        ("$15,000 - $24,999; more", "$15,000 - $24,999; more"),
        ("a=b", "a=b"),
    ],
)
def test_no_part_of_a_text_is_a_formula_wherever_a_spreadsheet_cuts_it(text: str, written: str) -> None:
    content = encode_csv(answer([record(text, 1.0)])).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(content, newline="")))[1][0] == written


def test_each_row_says_what_it_is_of_in_what_unit_by_which_method_and_from_where() -> None:
    provenance = {
        "citation": "CDC. A survey.",
        "method": "mean/1",
        "request": {"statistic": "mean", "parameters": {"question": "Percent who, well", "years": [2021, 2022, 2023]}},
    }
    bare = {name: value for name, value in RECORDS[0].items() if name != "year"}
    content = encode_csv(answer([bare, bare]) | {"provenance": provenance}).decode()
    for row in csv.DictReader(io.StringIO(content, newline="")):
        assert (row["question"], row["years"]) == ("Percent who, well", "2021-2023")
        assert (row["unit"], row["method"], row["citation"]) == ("percent", "mean/1", "CDC. A survey.")


def test_what_a_record_says_itself_is_not_said_twice() -> None:
    provenance = {"request": {"parameters": {"question": "One", "years": [2023]}}}
    own = [record("Ohio", 1.0, question="Another", unit="days")]
    content = encode_csv(answer(own) | {"provenance": provenance}).decode()
    assert content.splitlines()[0] == "location,year,value,reliability,question,unit"
    assert ",Another,days\r\n" in content


def test_a_spreadsheet_is_told_of_utf_8_where_that_matters_and_only_there() -> None:
    assert encode_csv(answer([record("Ohio", 1.0)]))[:8] == b"location"
    assert encode_csv(answer([record("Qu\xe9bec", 1.0)]))[:11] == b"\xef\xbb\xbflocation"
    frame = pd.read_csv(io.BytesIO(encode_csv(answer([record("Qu\xe9bec", 1.0)]))))
    assert frame["location"].tolist() == ["Qu\xe9bec"]


def test_a_negative_number_stays_a_number() -> None:
    assert b"Ohio,2023,-1.5,ok," in encode_csv(answer([record("Ohio", -1.5)]))


@given(st.text(max_size=30), st.none() | st.floats(allow_nan=False, allow_infinity=False))
def test_any_text_and_number_come_back_from_csv(text: str, value: float | None) -> None:
    content = encode_csv(answer([record(text.replace("\x00", ""), value)])).decode("utf-8-sig")
    row = list(csv.reader(io.StringIO(content, newline="")))[1]
    assert row[0].replace("'", "") == text.replace("\x00", "").replace("'", "")
    assert row[2] == ("" if value is None else repr(value))


def test_a_result_without_records_is_an_empty_table() -> None:
    assert encode_csv(answer([])) == b""


# ---- JSON-stat --------------------------------------------------------------------------------------------------


def read_json_stat(records: list[Record]) -> pd.DataFrame:
    """Return what pyjstat makes of a result: one row per place of the cube."""
    with pytest.warns(DeprecationWarning, match="Shouldn't use this function"):  # pyjstat's own, of itself
        return pyjstat.Dataset.read(encode_json_stat(answer(records)).decode()).write("dataframe")


def test_pyjstat_reads_values_back() -> None:
    frame = read_json_stat(RECORDS)
    values = frame[frame["measure"] == "value"].set_index("location")["value"]
    assert values["Ohio"] == 36.4
    assert values["Wyoming"] == 30.25
    assert values["Utah"] is None
    assert set(frame["measure"]) == {"value", "reliability", "rank", "tied"}


def test_pyjstat_finds_each_record_at_its_place_in_a_sparse_cube() -> None:
    records = [
        {"location": place, "year": year, "category": category, "stratum": stratum, "value": float(i)}
        for i, (place, year, category, stratum) in enumerate(
            [
                ("Ohio", 2021, "Sex", "Male"),
                ("Ohio", 2023, "Total", "Total"),
                ("Utah", 2021, "Sex", "Female"),
                ("Utah", 2021, "Race", "Other"),
                ("Ohio", 2023, "Sex", "Other"),
            ]
        )
    ]
    frame = read_json_stat(records).dropna()
    found = {(row.location, row.year, row.stratum): row.value for row in frame.itertuples()}
    assert found == {
        (record["location"], str(record["year"]), f"{record['category']}: {record['stratum']}"): record["value"]
        for record in records
    }


def test_suppressed_and_doubtful_cells_are_marked_with_notes() -> None:
    records = [record("Ohio", 36.4), record("Utah", None), record("Guam", 9.0) | {"reliability": "caution"}]
    document = orjson.loads(encode_json_stat(answer(records)))
    measures = document["dimension"]["measure"]["category"]["index"]
    at_value = {i * len(measures) + measures.index("value"): name for i, name in enumerate(["Ohio", "Utah", "Guam"])}
    assert {at_value[int(place)]: mark for place, mark in document["status"].items()} == {
        "Utah": "suppressed",
        "Guam": "caution",
    }
    assert set(document["extension"]["status"]["label"]) == {"suppressed", "unweighted", "caution"}
    assert "one estimate is suppressed" in document["note"]
    assert document["source"] == "CDC. A survey."


def test_records_that_their_dimensions_dont_tell_apart_are_numbered() -> None:
    frame = read_json_stat([{"coefficient": "pearson", "value": 0.5}, {"coefficient": "spearman", "value": 0.25}])
    values = frame[frame["measure"] == "value"].set_index("record")["value"]
    assert (values["1"], values["2"]) == (0.5, 0.25)


def test_what_is_about_a_category_as_a_whole_is_beside_its_strata() -> None:
    gap, men = (record("Ohio", 1.2, category="Sex", stratum=stratum) for stratum in (None, "Male"))
    document = orjson.loads(encode_json_stat(answer([gap, men])))
    assert document["dimension"]["stratum"]["category"]["index"] == ["Sex", "Sex: Male"]


def test_roles_say_which_dimension_is_time_place_and_measure() -> None:
    document = orjson.loads(encode_json_stat(answer(RECORDS)))
    assert document["role"] == {"time": ["year"], "geo": ["location"], "metric": ["measure"]}
    assert (document["version"], document["class"]) == ("2.0", "dataset")


# ---- Parquet ----------------------------------------------------------------------------------------------------


def test_duckdb_reads_the_parquet_file_back_with_its_types_and_its_source(tmp_path: Path) -> None:
    file = tmp_path / "it's.parquet"
    records = [
        dict.fromkeys(RECORDS[0]) | {"an'\"odd name": "x'y"},
        *[each | {"an'\"odd name": "z"} for each in RECORDS],
    ]
    file.write_bytes(encode_parquet({"records": records, "unit": "it's percent"}))
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT * FROM read_parquet(?)", [str(file)]).fetchall()
        kinds = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(file)]).fetchall()
        metadata = connection.execute("SELECT key, value FROM parquet_kv_metadata(?)", [str(file)]).fetchall()
    assert rows == [tuple(record.values()) for record in records]
    assert [kind[1] for kind in kinds] == ["VARCHAR", "BIGINT", "DOUBLE", "VARCHAR", "BIGINT", "BOOLEAN", "VARCHAR"]
    assert (b"meantime", b'{"unit":"it\'s percent"}') in metadata


def test_a_parquet_file_without_records_is_a_table_without_rows(tmp_path: Path) -> None:
    file = tmp_path / "empty.parquet"
    file.write_bytes(encode_parquet({"records": []}))
    with duckdb.connect() as connection:
        assert connection.execute("SELECT count(*) FROM read_parquet(?)", [str(file)]).fetchall() == [(0,)]


def test_records_that_no_parquet_file_can_hold_are_a_clear_error(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(DataError, match="^the Parquet file can't be written; ask for CSV or JSON$"):
        encode_parquet(answer([record("Ohio", 1.0, rank=2**63)]))
    assert "as Parquet" in caplog.text
