"""``meantime bundle`` writes the table that the package carries, byte for byte the same from the same export."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from meantime.cli.bundle import bundle
from meantime.survey import bundled_table
from meantime.survey.ingest.data_ingestor import DataIngestor
from tests.unit.survey.tables import HEADER, ROW, csv_text, written

pytestmark = pytest.mark.slow

EXPORT = csv_text(
    [f"{ROW},spare", f"{ROW.replace('Alabama', 'Alaska').replace('AL,', 'AK,')},spare"], header=(*HEADER, "ClassID")
)


def run(export: Path, output: Path, date: str = "2025-09-06") -> Result:
    return CliRunner().invoke(bundle, [str(export), "--output", str(output), "--export-date", date])


def test_the_slim_table_keeps_every_row_and_only_columns_that_hold_something(tmp_path: Path) -> None:
    result = run(written(tmp_path, EXPORT, "export.csv"), tmp_path / "out")
    assert result.exit_code == 0, result.output
    lines = gzip.decompress((tmp_path / "out" / "export.csv.gz").read_bytes()).decode().splitlines()
    assert len(lines) == 3
    assert "ClassID" not in lines[0]
    assert "Data_Value_Footnote" not in lines[0], "it is empty in every row"
    assert "High_Confidence_Limit ," in lines[0], "names are CDC's own"


def test_provenance_lies_beside_the_table_and_is_read_with_it(tmp_path: Path) -> None:
    run(written(tmp_path, EXPORT, "export.csv"), tmp_path)
    provenance = DataIngestor(tmp_path / "export.csv.gz").ingest().provenance
    assert provenance.dataset_id == "hn4x-zwk7"
    assert provenance.export_date == "2025-09-06"
    assert provenance.export_sha256 == hashlib.sha256(EXPORT.encode()).hexdigest()
    assert "ClassID" in provenance.left_out


def test_a_table_that_loses_no_column_says_so(tmp_path: Path) -> None:
    run(written(tmp_path, EXPORT, "export.csv"), tmp_path / "out")
    run(tmp_path / "out" / "export.csv.gz", tmp_path / "again")
    provenance = json.loads((tmp_path / "again" / "export.provenance.json").read_text())
    assert provenance["left_out"] == "no column; no row; the rows are sorted"


def test_the_order_of_the_export_does_not_change_the_bytes(tmp_path: Path) -> None:
    header, *rows = EXPORT.splitlines(keepends=True)
    run(written(tmp_path, EXPORT, "table.csv"), tmp_path / "one")
    run(written(tmp_path, header + "".join(reversed(rows)), "table.csv"), tmp_path / "other")
    one, other = ((tmp_path / name / "table.csv.gz").read_bytes() for name in ("one", "other"))
    assert one == other


def test_another_survey_is_refused(tmp_path: Path) -> None:
    result = run(written(tmp_path, EXPORT.replace("have obesity", "like cake"), "cake.csv"), tmp_path)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: cake.csv: its questions are of no survey that is known")


def test_the_bundled_table_is_what_the_command_writes_from_the_full_export(shared: Path, tmp_path: Path) -> None:
    run(shared / "data" / "npao-brfss-2011-2023.zip", tmp_path)
    written_table = tmp_path / bundled_table().name
    assert gzip.decompress(written_table.read_bytes()) == gzip.decompress(bundled_table().read_bytes())
    name = "npao-brfss-2011-2023.provenance.json"
    found, expected = (json.loads((folder / name).read_text()) for folder in (tmp_path, bundled_table().parent))
    # Another zlib may pack the same text into other bytes.
    assert found | {"table_sha256": ""} == expected | {"table_sha256": ""}
    with zipfile.ZipFile(shared / "data" / "npao-brfss-2011-2023.zip") as archive:
        export = archive.read(archive.namelist()[0])
    assert expected["export_sha256"] == hashlib.sha256(export).hexdigest()


def test_the_bundled_table_is_at_most_two_megabytes() -> None:
    assert bundled_table().stat().st_size <= 2_000_000


@pytest.mark.parametrize("date", ["yesterday", "2025-13-01"])
def test_an_export_date_that_is_none_is_refused(date: str, tmp_path: Path) -> None:
    assert run(written(tmp_path, EXPORT, "export.csv"), tmp_path, date).exit_code == 2
