"""Small tables for tests, in the columns of CDC's family, and reading them in this process."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.ingest.ingest import ingest
from meantime.survey.ingest.ingest_report import IngestReport
from meantime.survey.reading.mapping import parse_mapping
from meantime.survey.reading.opened_tables import open_table
from meantime.survey.reading.sources import DEFAULT_SIZE_LIMIT_BYTES
from tests.reference import Row

HEADER = (
    "YearStart",
    "LocationAbbr",
    "LocationDesc",
    "Question",
    "Data_Value",
    "Data_Value_Footnote_Symbol",
    "Data_Value_Footnote",
    "Low_Confidence_Limit",
    "High_Confidence_Limit ",
    "Sample_Size",
    "QuestionID",
    "LocationID",
    "StratificationCategory1",
    "Stratification1",
)
ROW = "2023,AL,Alabama,Percent of adults who have obesity,39.2,,,37.5,40.9,6115,Q036,1,Total,Total"
"""One row below `HEADER`."""


def csv_text(lines: Iterable[str], header: Sequence[str] = HEADER) -> str:
    """Return a CSV of a header and ready lines."""
    return "".join(f"{line}\n" for line in (",".join(header), *lines))


def csv_of(rows: Iterable[Row]) -> str:
    """Return a CSV of rows as CDC writes them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for row in rows:
        numbers = ["" if number is None else repr(number) for number in (row.low, row.high, row.sample_size)]
        value = "" if row.value is None else repr(row.value)
        footnote = ("", "") if row.value is not None else ("-", "Data not available")
        names = (row.year, row.abbreviation, row.location, row.question)
        writer.writerow([*names, value, *footnote, *numbers, row.question_id, "", row.category, row.stratum])
    return text.getvalue()


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(
    source: Path, mapping: str = "", *, size_limit_bytes: int = DEFAULT_SIZE_LIMIT_BYTES
) -> tuple[SurveyCube, IngestReport]:
    """Read a table in this process."""
    profile = parse_mapping(mapping, "mapping.toml").profile
    with open_table(source, profile, size_limit_bytes=size_limit_bytes) as table:
        return ingest(table, started_s=0.0)
