"""How commands print: whatever a line holds, it gives the terminal no orders. What is printed isn't decided here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from meantime.fields.refusals import printable


def print_lines(*lines: str, err: bool = False) -> None:
    """Print lines on standard output, or on standard error, with whatever isn't printable escaped."""
    for line in lines:
        click.echo(printable(line), err=err)  # noqa: TID251  # this is how


@contextmanager
def printable_refusals() -> Iterator[None]:
    """Have click's own errors name files and arguments so that they can be shown."""
    try:
        yield
    except click.ClickException as error:
        shown = "\n".join(map(printable, error.message.split("\n")))
        error.message = shown  # type: ignore[misc]  # final, but click shows nothing else
        raise
