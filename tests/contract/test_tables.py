"""A dataset's table as a file: what is in it, and that any part of it can be had."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import duckdb
import pytest
from flask.testing import FlaskClient

from meantime.formats.table_files import COLUMNS, TableFiles, TableKind
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from tests.bundled import bundled_cube
from tests.contract.conftest import OBESITY, ROWS
from tests.contract.v1_requests import MEAN, decoded, problem, submit
from tests.datasets import NOWHERE, dataset_of, report_of
from tests.reference import Row

CSV, PARQUET = "/api/v1/dataset/table.csv", "/api/v1/dataset/table.parquet"

pytestmark = pytest.mark.slow  # each table is made by a process


def plain(rows: list[Row]) -> list[dict[str, object]]:
    """Return what a table should hold of rows that are a cell each."""
    return [
        {
            "question": row.question,
            "location": row.location,
            "year": row.year,
            "category": row.category,
            "stratum": row.stratum,
            "value": row.value,
            "low": row.low,
            "high": row.high,
            "sample_size": None if row.value is None else row.sample_size,
        }
        for row in rows
    ]


def in_order(rows: list[dict[str, object]]) -> list[list[object]]:
    return sorted(([row[name] for name in plain(ROWS)[0]] for row in rows), key=str)


def test_the_csv_file_holds_every_estimate(client: FlaskClient) -> None:
    answer = client.get(CSV, buffered=True)
    assert answer.content_type == "text/csv; charset=utf-8; header=present"
    read = list(csv.DictReader(io.StringIO(answer.data.decode())))
    assert list(read[0]) == list(COLUMNS)
    numbers = {"year": int, "value": float, "low": float, "high": float, "sample_size": float}
    found = [
        {name: (numbers[name](text) if text else None) if name in numbers else text for name, text in row.items()}
        for row in read
    ]
    assert in_order(found) == in_order(plain(ROWS))
    assert sum(int(row["suppressed_count"]) for row in read) == sum(row.value is None for row in ROWS)


def test_the_parquet_file_holds_the_same_with_types(client: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    path.write_bytes(client.get(PARQUET, buffered=True).data)
    with duckdb.connect() as connection:
        table = connection.execute(f"SELECT * FROM '{path}'")
        names = [column[0] for column in table.description]
        found = [dict(zip(names, row, strict=True)) for row in table.fetchall()]
    assert names == list(COLUMNS)
    expected = [{name: value or None for name, value in row.items()} for row in plain(ROWS)]  # a blank is null here
    assert in_order(found) == in_order(expected)
    assert {type(row["year"]) for row in found} == {int}


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless_in_csv_alone(tmp_path: Path) -> None:
    row = Row("=HYPERLINK(1)", "", "Ohio", "", 2023, "Total", "Total", -1.5, -2.0, -1.0, 10.5)
    files = TableFiles(tmp_path / "tables", kept_versions=1)
    made = dataset_of([row])
    assert "'=HYPERLINK(1)" in files.of(made, TableKind.CSV).read_text()
    with duckdb.connect() as connection:
        [found] = connection.execute(
            f"SELECT question, value, sample_size FROM '{files.of(made, TableKind.PARQUET)}'"
        ).fetchall()
    assert found == ("=HYPERLINK(1)", -1.5, 10.5)


# ---- parts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CSV, PARQUET])
@pytest.mark.parametrize(
    ("wanted", "first", "last"), [("bytes=0-3", 0, 4), ("bytes=10-", 10, None), ("bytes=-7", -7, None)]
)
def test_a_part_is_those_bytes_of_the_whole(
    client: FlaskClient, path: str, wanted: str, first: int, last: int | None
) -> None:
    whole = client.get(path, buffered=True)
    assert (whole.status_code, whole.headers["Accept-Ranges"]) == (200, "bytes")
    part = client.get(path, headers={"Range": wanted}, buffered=True)
    assert (part.status_code, part.data) == (206, whole.data[first:last])
    assert part.headers["Content-Length"] == str(len(part.data))
    span, _, size = part.headers["Content-Range"].removeprefix("bytes ").partition("/")
    assert int(size) == len(whole.data)
    begin, end = map(int, span.split("-"))
    assert whole.data[begin : end + 1] == part.data
    assert part.headers["ETag"] == whole.headers["ETag"]


def test_a_part_of_another_version_than_the_client_has_is_the_whole(client: FlaskClient) -> None:
    tag = client.get(CSV, buffered=True).headers["ETag"]
    same = client.get(CSV, headers={"Range": "bytes=0-3", "If-Range": tag}, buffered=True)
    other = client.get(CSV, headers={"Range": "bytes=0-3", "If-Range": '"other"'}, buffered=True)
    assert (same.status_code, other.status_code) == (206, 200)


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes=-"])
def test_what_is_no_single_range_of_bytes_is_answered_with_the_whole(client: FlaskClient, wanted: str) -> None:
    assert client.get(CSV, headers={"Range": wanted}, buffered=True).status_code == 200


def test_a_part_behind_the_end_is_refused_with_the_length(client: FlaskClient) -> None:
    size = client.get(CSV, buffered=True).headers["Content-Length"]
    refused = client.get(CSV, headers={"Range": f"bytes={size}-"}, buffered=True)
    problem(refused, 416, "requested-range-not-satisfiable")
    assert refused.headers["Content-Range"] == f"bytes */{size}"


def test_the_headers_say_how_long_the_file_is(client: FlaskClient) -> None:
    whole, headers = client.get(PARQUET, buffered=True), client.head(PARQUET, buffered=True)
    assert headers.data == b""
    for name in ("Content-Length", "ETag", "Accept-Ranges"):
        assert headers.headers[name] == whole.headers[name]
    assert not whole.headers["ETag"].startswith("W/")
    again = client.get(PARQUET, headers={"If-None-Match": whole.headers["ETag"]}, buffered=True)
    assert (again.status_code, again.data) == (304, b"")


def test_parts_of_results_can_be_had_too(client: FlaskClient) -> None:
    submit(client, MEAN, Prefer="wait=30")
    whole = client.get("/api/v1/jobs/1/result.csv")
    part = client.get("/api/v1/jobs/1/result.csv", headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.data) == (206, whole.data[5:10])
    answer = client.get(f"/api/v1/answers/mean?question={OBESITY}", headers={"Range": "bytes=0-4"})
    assert (answer.status_code, len(answer.data)) == (206, 5)


# ---- versions -------------------------------------------------------------------------------------------------------


def test_a_version_is_named_or_is_the_current_one(client: FlaskClient, dataset: Dataset) -> None:
    live = client.get(CSV, buffered=True)
    frozen = client.get(f"{CSV}?version={dataset.version}", buffered=True)
    assert frozen.data == live.data
    assert "immutable" in frozen.headers["Cache-Control"]
    assert "must-revalidate" in live.headers["Cache-Control"]
    assert client.get("/api/v1/datasets/small/table.csv", buffered=True).data == live.data
    problem(client.get(f"{CSV}?version={'0' * 64}"), 404, "unknown-version")
    problem(client.get("/api/v1/dataset/table.json"), 404, "not-found")


def test_files_of_versions_that_were_not_used_for_longest_go(tmp_path: Path) -> None:
    files = TableFiles(tmp_path, kept_versions=2)
    made = [
        dataset_of([Row("Q", "", "Ohio", "", 2023, "T", "T", value, 1.0, 3.0, 9.0)], cube_version=str(value))
        for value in (1.5, 2.0, 2.5)
    ]
    for each in made:
        files.of(each, TableKind.CSV)
    assert [files.find(each, TableKind.PARQUET) is not None for each in made] == [False, True, True]


def test_a_table_that_cannot_be_written_is_said_to_be_and_the_server_goes_on(
    service: MeantimeService, settings: Settings
) -> None:
    (settings.store_dir / "tables").write_text("in the way")
    client = create_app(service, settings).test_client()
    problem(client.get(CSV), 503, "data-unavailable")
    assert client.get("/api/v1/dataset").status_code == 200


def test_one_column_is_at_most_about_a_third_of_the_bytes(tmp_path: Path) -> None:
    cube = bundled_cube()
    dataset = Dataset("brfss", cube, NOWHERE, report_of(cube, {}))
    path = TableFiles(tmp_path, kept_versions=1).of(dataset, TableKind.PARQUET)
    with duckdb.connect() as connection:
        shares = dict(
            connection.execute(
                "SELECT path_in_schema, sum(total_compressed_size) / ? FROM parquet_metadata(?) GROUP BY 1",
                [path.stat().st_size, str(path)],
            ).fetchall()
        )
        [[count]] = connection.execute(f"SELECT count(value) FROM '{path}'").fetchall()
    assert count == 93_505
    assert shares["value"] < 0.3
    assert max(shares.values()) < 0.32


def test_what_is_served_is_named_in_the_dataset(client: FlaskClient) -> None:
    links = decoded(client.get("/api/v1/dataset"))["links"]
    assert isinstance(links, dict)
    assert client.get(links["table"], buffered=True).status_code == 200
