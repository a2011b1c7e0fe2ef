"""How the table that the package carries is made from CDC's full export; ``meantime.survey`` says where it is.

Only the columns that have a role and hold anything are kept, under CDC's own names and with CDC's own texts.
Every row is kept.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from pathlib import Path

from meantime.errors import DataError
from meantime.survey.ingest.provenance import TABLE_SHA256, provenance_path
from meantime.survey.reading.columns import ColumnMap, Role, match_columns
from meantime.survey.reading.csv_rows import numbered_rows, read_header
from meantime.survey.reading.profile import Profile, known_survey
from meantime.survey.reading.sources import open_source, stem

_ORDER = (Role.QUESTION, Role.LOCATION, Role.YEAR, Role.CATEGORY, Role.STRATUM)
"""Rows are sorted by these, which makes the file a sixth smaller than CDC's order does."""


def write_bundle(export: Path, directory: Path, export_date: str) -> Path:
    """Write the slim table of an export and its provenance; the same export gives the same bytes.

    Parameters
    ----------
    export
        CDC's full table, as it was exported.
    directory
        Where both files go; made when missing.
    export_date
        The day of the export, such as ``2025-09-06``.

    Returns
    -------
    Path
        The table, ``<export>.csv.gz``; its provenance lies beside it.

    Raises
    ------
    DataError
        The export can't be read, or is no table that the package knows the publisher of.
    """
    profile = Profile()
    with open_source(export) as opened:
        header = read_header(opened, profile.file.delimiter)
        columns = match_columns(header, source_name=opened.name, stated=profile.columns, fixed=profile.fixed)
        rows = [row.fields for row in numbered_rows(opened, profile.file.delimiter, header)]
        export_sha256 = opened.plain_sha256()
    # A column that is empty in every row says nothing, whatever its role; nor does a value type, which is always one.
    roles = {place for role, place in columns.position.items() if role is not Role.VALUE_TYPE}
    kept = sorted(place for place in roles if any(row[place].strip() for row in rows))
    dropped = [name.strip() for place, name in enumerate(header) if place not in kept]
    columns_left_out = f"{len(dropped)} of {len(header)} columns ({', '.join(dropped)})" if dropped else "no column"
    table = gzip.compress(_slim(header, rows, columns, kept), compresslevel=9, mtime=0)
    path = directory / f"{stem(export)}.csv.gz"
    provenance = _origin(rows, columns, export.name) | {
        "export_date": export_date,
        "export_sha256": export_sha256,
        "left_out": f"{columns_left_out}; no row; the rows are sorted",
        TABLE_SHA256: hashlib.sha256(table).hexdigest(),
    }
    directory.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table)
    provenance_path(path).write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")
    return path


def _slim(header: tuple[str, ...], rows: list[list[str]], columns: ColumnMap, kept: list[int]) -> bytes:
    order = [columns.position[role] for role in _ORDER]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([header[position] for position in kept])
    for row in sorted(rows, key=lambda row: [row[position] for position in order]):
        writer.writerow([row[position] for position in kept])
    return text.getvalue().encode()


def _origin(rows: list[list[str]], columns: ColumnMap, export_name: str) -> dict[str, str]:
    text, question_id = columns.position[Role.QUESTION], columns.position[Role.QUESTION_ID]
    profile = Profile()
    asked = {(row[text], row[question_id]) for row in rows}
    survey = known_survey(tuple(profile.question(text, question_id, "") for text, question_id in sorted(asked)))
    if survey is None:
        raise DataError(f"{export_name}: its questions are of no survey that is known; only CDC's table can be bundled")
    return {
        "publisher": survey.publisher,
        "title": survey.title,
        "dataset_id": survey.dataset_id,
        "url": survey.url,
        "licence": survey.licence,
    }
