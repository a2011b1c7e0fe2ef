"""``meantime inspect``: what a table holds, and a proposed mapping for one that is not known or refused."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meantime.cli.errors import one_line_errors
from meantime.cli.output import print_lines
from meantime.errors import DataError
from meantime.fields.refusals import printable, printable_json

if TYPE_CHECKING:
    from meantime.child import Progress
    from meantime.survey.ingest.dataset import Dataset


_SHOWN_NAMES = 12
_MOST_SETTLED = 5
_LABELS = {"unpack": "Unpacking", "read": "Reading"}


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--mapping", type=click.Path(path_type=Path), help="A TOML file that says how to read the table.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--write-mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the proposed mapping to this file instead of printing it; it must not be there yet.",
)
def inspect(data: Path, mapping: Path | None, as_json: bool, write_mapping: Path | None) -> None:
    """Report what DATA holds, as `meantime serve` would read it.

    DATA is a CSV file (plain, .gz, .zst or in a .zip) or a Parquet file. A table whose columns are not known, or that
    is refused as it is, gets a proposed mapping file: correct it, then give it as --mapping to inspect and serve.
    """
    with one_line_errors():
        try:
            dataset = _ingest(data, mapping)
        except DataError as error:
            if mapping is not None:
                raise
            _propose(data, error, write_mapping)
            return
        if write_mapping is not None:
            raise DataError(f"{data.name}: is read without a mapping; --write-mapping is for other tables")
    if as_json:
        print_lines(*printable_json(json.dumps(_as_json(dataset), indent=2, ensure_ascii=False)).split("\n"))
    else:
        _print_report(dataset)


def _ingest(data: Path, mapping: Path | None) -> Dataset:
    from meantime.survey.ingest.data_ingestor import DataIngestor

    with ingest_progress() as progress:
        return DataIngestor(data, mapping=mapping).ingest(progress)


def _propose(data: Path, refusal: DataError, write_mapping: Path | None) -> None:
    """Print or write a mapping for a table that was refused, once it was tried; raise the refusal where none helps."""
    from meantime.survey.reading.proposal.examination import propose_mapping

    try:
        proposed = propose_mapping(data)
    except DataError:
        raise refusal from None
    text, problem = _settled(data, proposed.text)
    if problem and proposed.is_known:
        raise refusal
    reason = "Can't be read without a mapping" if proposed.is_known else "Not a known table"
    print_lines(f"{reason}: {refusal}", err=True)
    if problem:
        print_lines(f"As it stands, the proposed mapping doesn't do either: {problem}", err=True)
    if write_mapping is None:
        print_lines(*text.splitlines())
        return
    try:
        with write_mapping.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise DataError(f"{write_mapping}: can't be written: {error.strerror}") from error
    print_lines(
        f"{write_mapping}: a proposed mapping; correct it, then: meantime inspect DATA --mapping {write_mapping}"
    )


def _settled(data: Path, proposal: str) -> tuple[str, str]:
    """Try a proposed mapping, and again with the line that its refusal names; return it, and why it can't be read."""
    from meantime.survey.reading.mapping_lines import with_line

    tried: set[tuple[str, str]] = set()
    while (problem := _tried(data, proposal)) and problem.settings and len(tried) < _MOST_SETTLED:
        line = problem.settings[0]
        if line in tried:
            break
        tried.add(line)
        reason = str(problem).partition("; ")[0].removeprefix(f"{data.name}, ")
        proposal = with_line(proposal, line, f"without it: {reason}")
    return proposal, str(problem or "")


def _tried(data: Path, proposal: str) -> DataError | None:
    """Read a table with a proposed mapping; return why that can't be done."""
    with tempfile.TemporaryDirectory() as folder:
        mapping = Path(folder) / "proposed.toml"
        mapping.write_text(proposal, encoding="utf-8")
        try:
            _ingest(data, mapping)
        except DataError as error:
            return error
    return None


def _as_json(dataset: Dataset) -> dict[str, object]:
    cube = dataset.cube
    return {
        "version": dataset.version,
        "provenance": asdict(dataset.provenance),
        "report": dataset.report.to_json(),
        "questions": [asdict(question) for question in cube.questions],
        "locations": [asdict(location) for location in cube.locations],
        "segments": [asdict(segment) for segment in cube.segments],
    }


def report_rows(dataset: Dataset) -> list[tuple[str, str]]:
    """Return the report as labelled lines, in reading order."""
    report, provenance, cube = dataset.report, dataset.provenance, dataset.cube
    columns = ", ".join(f"{role}: {header.strip()}" for role, header in report.columns.items())
    rows = [
        ("File", provenance.source_name),
        ("Title", provenance.title),
        ("Publisher", provenance.publisher),
        ("SHA-256", provenance.source_sha256),
        ("Version", dataset.version),
        ("Layout", report.layout),
        ("Rows", f"{report.row_count:,}"),
        ("With a value", f"{report.value_count:,}"),
        ("Suppressed", f"{report.suppressed_count:,}"),
        ("Left out", f"{report.left_out_count:,}"),
        *(("", f"{row.place} {row.line}, column {row.column!r}: {row.reason}") for row in report.left_out_examples),
        ("Years", _few([str(year) for year in report.years])),
        ("Questions", f"{report.question_count:,}"),
        *(("", f"{q.question_id} {q.text} ({q.unit}; {q.direction or 'no direction'})") for q in cube.questions[:20]),
        ("Locations", f"{report.location_count:,}: {_few([location.name for location in cube.locations])}"),
        ("Strata", f"{report.segment_count:,}"),
        *(("", line) for line in _categories(dataset)),
        ("Columns", columns),
        ("Not found", ", ".join(report.columns_missing)),
        *(("Footnote", f"{count:,} rows: {text}") for text, count in report.footnotes.items()),
        ("Limits", f"{report.limits.scale}: {report.limits.in_words}" if report.limits.limit_count else ""),
        *(("Note", note.text) for note in report.notes),
        ("Read", f"{report.duration_s:.2f} s, {report.engine}"),
    ]
    return [(label, printable(text)) for label, text in rows if text]


def _categories(dataset: Dataset) -> list[str]:
    found: dict[str, list[str]] = {}
    for segment in dataset.cube.segments:
        found.setdefault(segment.category or "(none)", []).append(segment.stratum or "(none)")
    return [f"{category}: {_few(strata)}" for category, strata in found.items()]


def _few(names: list[str]) -> str:
    more = len(names) - _SHOWN_NAMES
    return ", ".join(names[:_SHOWN_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _print_report(dataset: Dataset) -> None:
    rows = report_rows(dataset)
    if not sys.stdout.isatty():
        width = max(len(label) for label, _ in rows)
        for label, text in rows:
            print_lines(f"{label:<{width}}  {text}")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(label, Text(text))
    Console().print(table)


@contextmanager
def ingest_progress(quiet_s: float = 1.0) -> Iterator[Progress | None]:
    """Give what `DataIngestor.start` takes as ``progress``: None where nobody looks, else a bar.

    Parameters
    ----------
    quiet_s
        How long nothing is shown, in seconds: a short ingest needs no bar.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=1.0)
    started_s = time.monotonic()
    shown_phase = ""

    def show(phase: str, part: float) -> None:
        nonlocal shown_phase
        if time.monotonic() - started_s < quiet_s:
            return
        bar.update(task, description=_LABELS.get(phase, phase), completed=part)
        if phase != shown_phase:  # drawn at once: the bar's own next refresh may come after the end
            shown_phase = phase
            bar.start()
            bar.refresh()

    try:
        yield show
    finally:
        bar.stop()
