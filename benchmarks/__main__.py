"""`python -m benchmarks`: measure everything, print the table, and exit with 1 when a goal is missed."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from rich.console import Console

from benchmarks.figures import Figure, encode_figures, print_figures

WIDTH_IN_A_FILE = 140
PARTS = ("round-trips", "computation", "charts", "answers", "start", "command-line")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--quick", is_flag=True, help="Fewer and shorter rounds: a first look, not a figure to quote.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure this part; may be repeated.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build"),
    show_default=True,
    help="The disk that servers keep their state on; memory-backed ones flatter the durable acknowledgement.",
)
@click.option(
    "--against",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Measure the statistics alone, beside an earlier checkout in this folder (`git worktree add` makes one).",
)
def main(*, as_json: bool, quick: bool, only: tuple[str, ...], folder: Path, against: Path | None) -> None:
    """Measure Meantime against its goals and its peers."""
    if against is not None:
        from benchmarks.earlier_checkout import measure_against

        sys.exit(bool(report(measure_against(against, rounds=3 if quick else 15), as_json=as_json)))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=folder.resolve()) as temporary:
        missed = report(measure(only or PARTS, Path(temporary), quick=quick), as_json=as_json)
    if missed:
        click.echo(f"Missed: {'; '.join(missed)}", err=True)
        raise click.exceptions.Exit(1)


def report(measured: Iterable[Figure], *, as_json: bool) -> list[str]:
    """Print what was measured, also when measuring breaks off; return the names of the figures that miss their goal."""
    figures: list[Figure] = []
    try:
        for figure in measured:
            figures.append(figure)  # noqa: PERF402  # what is there when the next one raises is to be printed
    finally:
        if as_json:
            sys.stdout.write(encode_figures(figures).decode() + "\n")
        else:
            console = Console()
            print_figures(console if console.is_terminal else Console(width=WIDTH_IN_A_FILE), figures)
    return [figure.name for figure in figures if figure.is_reached is False]


def measure(parts: tuple[str, ...], folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Yield the figures of the parts, importing what each one needs."""
    messages = Console(stderr=True)
    with messages.status("measuring") as status:
        if "command-line" in parts:
            from benchmarks.start_up import measure_command_line

            status.update("the command line")
            yield from measure_command_line(repeats=3 if quick else 15)
        if "start" in parts:
            from benchmarks.start_up import measure_start

            status.update("start to ready")
            yield from measure_start(folder, repeats=1 if quick else 5)
        if "computation" in parts:
            from benchmarks.computation import measure_computation
            from meantime.survey import bundled_table

            status.update("computation")
            yield from measure_computation(bundled_table(), repeats=20 if quick else 200)
        if "charts" in parts:
            from benchmarks.charts import measure_charts
            from meantime.survey import bundled_table

            status.update("charts")
            yield from measure_charts(bundled_table())
        if "answers" in parts:
            from benchmarks.answers import measure_answers

            rounds, round_s = (2, 2.0) if quick else (5, 4.0)
            yield from measure_answers(folder, rounds=rounds, round_s=round_s, progress=status.update)
        if "round-trips" in parts:
            from benchmarks.round_trips import measure_round_trips

            rounds, round_s = (2, 1.0) if quick else (7, 3.0)
            yield from measure_round_trips(folder, rounds=rounds, round_s=round_s, progress=status.update)


if __name__ == "__main__":
    main()
