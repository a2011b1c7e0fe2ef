"""How commands print: whatever a line holds, it gives the terminal no orders. What is printed isn't decided here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from meantime.fields.refusals import printable


def print_lines(*lines: str, err: bool = False) -> None:
    """Print lines on standard output, or on standard error, with whatever isn't printable escaped."""
    for line in lines:
        click.echo(printable(line), err=err)  # noqa: TID251  # this is how


def open_streams() -> None:
    """Open the standard streams that were closed: no file of ours gets a number that something prints to."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # what is opened next has the lowest number that is free, which is its own
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  # until the end


@contextmanager
def printable_refusals() -> Iterator[None]:
    """Have click's own errors name files and arguments so that they can be shown."""
    try:
        yield
    except click.ClickException as error:
        shown = "\n".join(map(printable, error.message.split("\n")))
        error.message = shown  # type: ignore[misc]  # final, but click shows nothing else
        raise
