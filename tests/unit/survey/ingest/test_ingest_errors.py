"""A table that can't be read gives one line that names file, line and column, whatever is wrong with it."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from meantime.errors import DataError
from tests.unit.survey.tables import HEADER, ROW, csv_text, read, written

pytestmark = pytest.mark.slow

GOOD = csv_text([ROW])


def changed(column: str, text: str) -> str:
    """Return `ROW` with another text in one column."""
    fields = ROW.split(",")
    fields[HEADER.index(column)] = text
    return ",".join(fields)


FAULTS: dict[str, tuple[str | bytes, str]] = {
    # what is wrong: the file, what the message says
    "empty file": ("", "table.csv: is empty"),
    "blank file": ("\n\n\n", "table.csv, line 1: no column names"),
    "header alone": (csv_text([]), "table.csv: has no rows below its header"),
    "no header": (csv_text([ROW], header=ROW.split(",")), "line 1: no column for question"),
    "missing column": (
        GOOD.replace("LocationDesc", "Place"),
        "line 1: no column for location (LocationDesc in CDC's tables)",
    ),
    "category without stratum": (GOOD.replace("Stratification1", "S"), "line 1: no column for stratum"),
    "one name twice": (
        GOOD.replace("LocationAbbr", "locationdesc"),
        "line 1: column 2 'locationdesc', column 3 'LocationDesc' have the same name",
    ),
    "value that is no number": (
        csv_text([ROW, changed("Data_Value", "high"), ROW]),
        "table.csv, line 3, column 'Data_Value': 'high' is no number",
    ),
    "limit that is no number": (
        csv_text([changed("High_Confidence_Limit ", "40,9".replace(",", ";"))]),
        "line 2, column 'High_Confidence_Limit': '40;9' is no number",
    ),
    "sample size in words": (csv_text([changed("Sample_Size", "many")]), "line 2, column 'Sample_Size': 'many'"),
    "value that is not finite": (csv_text([ROW, changed("Data_Value", "inf")]), "line 3, column 'Data_Value': 'inf'"),
    "value that is NaN": (csv_text([changed("Data_Value", "NaN")]), "line 2, column 'Data_Value': 'NaN' is no number"),
    "limit that is NaN": (csv_text([changed("Low_Confidence_Limit", "nan")]), "line 2, column 'Low_Confidence_Limit'"),
    "value too large": (csv_text([changed("Data_Value", "1e999")]), "line 2, column 'Data_Value': '1e999'"),
    "year with a fraction": (csv_text([changed("YearStart", "2011.5")]), "line 2, column 'YearStart': '2011.5'"),
    "year below 1": (csv_text([ROW, changed("YearStart", "-3")]), "line 3, column 'YearStart': '-3' is no year"),
    "short row": (
        csv_text([ROW, "2023,AL"]),
        "line 3, column 'LocationDesc': the row has 2 fields, the header names 14",
    ),
    "long row": (csv_text([ROW + ",more"]), "line 2, column 15: the row has 15 fields, the header names 14"),
    "quote left open": (csv_text([ROW, '2023,"AL', ROW]), "line 3: the row's quotes can't be read"),
    "text after a quote": (csv_text(['2023,"AL"x,Alabama' + ROW[15:]]), "line 2: the row's quotes can't be read"),
    "Latin-1": (
        csv_text([ROW, changed("LocationDesc", "Curaçao")]).encode("latin-1"),
        "line 3, column 'LocationDesc': not UTF-8",
    ),
    "Latin-1 header": (GOOD.replace("Sample_Size", "Größe").encode("latin-1"), "line 1, column 10: not UTF-8"),
    "semicolons here and there": ("Question;YearStart\na;2011\nb\n", "state `delimiter = ';'` under [file]"),
    "no usable row": (csv_text([changed("YearStart", ""), changed("Question", " ")]), "none of its 2 rows has"),
    "fault after a quoted line end": (
        csv_text([changed("Data_Value_Footnote", '"two\nlines"'), changed("Data_Value", "x")]),
        "line 4, column 'Data_Value': 'x' is no number",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_table_is_refused_with_one_line(fault: str, tmp_path: Path) -> None:
    content, expected = FAULTS[fault]
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, content))
    message = str(caught.value)
    assert expected in message
    assert message.startswith("table.csv")
    assert "\n" not in message


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".csv.zst", ".zip", ".parquet"])
def test_a_file_of_other_bytes_than_its_name_says_is_refused(ending: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"table{ending}"):
        read(written(tmp_path, b"\x00\x01\x02 nothing of the kind \xff" * 50, f"table{ending}"))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.csv: no such file or directory"):
        read(tmp_path / "none.csv")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a directory"):
        read(tmp_path)


@pytest.mark.parametrize("url", ["https://data.cdc.gov/x.csv", "s3://bucket/x.parquet", "file:///etc/passwd"])
def test_a_url_is_never_fetched(url: str) -> None:
    with pytest.raises(DataError, match="a URL is never fetched"):
        read(Path(url))


def test_an_unknown_ending_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must end in \.csv, \.tsv, \.csv\.gz, \.tsv\.gz, \.csv\.zst, \.zip, \.p"):
        read(written(tmp_path, GOOD, "table.xlsx"))


def test_a_special_file_is_refused() -> None:
    with pytest.raises(DataError, match="not a regular file"):
        read(Path("/dev/null"))


def zip_of(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, GOOD)
    return packed.getvalue()


def test_a_zip_without_a_csv_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no CSV file \(readme\.txt\)"):
        read(written(tmp_path, zip_of("readme.txt"), "table.zip"))


def test_a_zip_with_two_csvs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds 2 CSV files \(a\.csv, b\.csv\); it must hold exactly one"):
        read(written(tmp_path, zip_of("a.csv", "b.csv"), "table.zip"))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("ending", [".csv.gz", ".csv.zst", ".zip"])
def test_a_packed_file_that_was_cut_short_is_refused(ending: str, kept: float, tmp_path: Path) -> None:
    whole = packed(ending, csv_text([ROW] * 500))
    with pytest.raises(DataError, match=f"table{ending}: can't be unpacked"):
        read(written(tmp_path, whole[: int(len(whole) * kept)], f"table{ending}"))


def packed(ending: str, text: str) -> bytes:
    """Return a table packed as its name's ending says."""
    if ending == ".csv.gz":
        return gzip.compress(text.encode())
    if ending == ".csv.zst":
        from backports import zstd

        return zstd.compress(text.encode())
    folder = io.BytesIO()
    with zipfile.ZipFile(folder, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", text)
    return folder.getvalue()
