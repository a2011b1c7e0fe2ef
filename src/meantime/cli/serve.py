"""``meantime serve``: options made from the settings, then the server's processes. Little is imported to begin with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from meantime.cli.errors import one_line_errors
from meantime.settings import describe_settings, load_settings

EPILOG = """
\b
Examples:
  meantime serve                            CDC's bundled table, http://127.0.0.1:5000
  meantime serve table.csv --port 8080      a table of CDC's family
  meantime serve odd.csv --mapping odd.toml any other table; see: meantime inspect odd.csv
  meantime serve brfss=a.csv wic=b.csv      several tables

Ctrl+C or SIGTERM drains: new jobs are refused, accepted ones finish, then the server ends. A second Ctrl+C ends it at
once. Accepted jobs that have not finished run at the next start. SIGHUP reads the tables again.

Every option can also be set by a variable (MEANTIME_PORT=8080) or in a TOML file (port = 8080). The command line goes
before variables, variables go before the file.
"""


def _setting_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each setting, in their order."""
    for each in reversed(describe_settings()):
        if each.option.startswith("--"):
            text = f"{each.summary} [{each.expected}; default: {each.default}]"
            kind: dict[str, Any] = {"is_flag": True, "flag_value": "true"} if each.is_flag else {"metavar": "VALUE"}
            command = click.option(each.option, each.name, default=None, help=text, **kind)(command)
    return command


@click.command(epilog=EPILOG)
@click.argument("data", nargs=-1, metavar="[DATA]...")
@click.option("--config", type=click.Path(path_type=Path), help="A TOML file with settings. [default: meantime.toml]")
@_setting_options
@click.pass_context
def serve(context: click.Context, /, data: tuple[str, ...], config: Path | None, **options: str | None) -> None:
    """Serve DATA, or CDC's bundled table when none is given.

    DATA is a CSV (also in gzip, zstd or zip) or Parquet file of published estimates, one estimate a row. Several are
    given as NAME=FILE; each is at /api/v1/datasets/NAME, and the first is also the default.
    """
    # The cube's sums need none of OpenBLAS's threads, which would be there before the fork.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with one_line_errors():
        settings = load_settings({"data": data or None, **options}, config=config)
        from meantime.serving.server_process import run_server

        code = run_server(settings)
    context.exit(code)
