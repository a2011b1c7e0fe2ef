"""``meantime bundle``: write the slim table that the package carries."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from meantime.cli.errors import one_line_errors
from meantime.cli.output import print_lines


@click.command()
@click.argument("export", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where both files go.")
@click.option(
    "--export-date",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="The day on which the publisher's table was exported, such as 2025-09-06.",
)
def bundle(export: Path, output: Path, export_date: datetime) -> None:
    """Write the slim table that the package carries from CDC's full EXPORT.

    Only the columns that are used are kept, under CDC's own names. The provenance lies beside the table. The same
    export always gives the same bytes.
    """
    from meantime.survey.bundled import write_bundle

    with one_line_errors():
        path = write_bundle(export, output, f"{export_date:%Y-%m-%d}")
    print_lines(f"{path}: {path.stat().st_size:,} bytes")
