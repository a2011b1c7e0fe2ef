"""How errors end a command: one line on standard error and an exit code, never a traceback."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import click

from meantime.cli.output import print_lines
from meantime.errors import AccessKeyError, DataError, MeantimeError, SettingsError, StoreError

EXIT_CODES: dict[type[MeantimeError], int] = {AccessKeyError: 2, DataError: 2, SettingsError: 2, StoreError: 2}
"""What a command ends with; an error that is not in the table ends it with 1."""

_ADVICE_FOR_FILES = "run this as the server's user, or give another --state-dir"
_ADVICE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "free some space")
_ADVICE |= dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n)")


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn the errors that leave the block, Meantime's own and those of files, into one line and an exit code."""
    try:
        yield
    except BrokenPipeError:  # whoever reads the output has seen enough; click ends the command
        raise
    except OSError as error:
        print_lines(f"Error: {refusal_by_system(error)}", err=True)
        raise click.exceptions.Exit(2) from error
    except MeantimeError as error:
        print_lines(f"Error: {' '.join(str(error).split())}", err=True)
        code = next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1)
        raise click.exceptions.Exit(code) from error


def refusal_by_system(error: OSError) -> str:
    """Say what the operating system has refused, and what helps."""
    place = f"can't use {error.filename}: " if error.filename is not None else ""
    advice = _ADVICE.get(error.errno or 0, _ADVICE_FOR_FILES if place else "")
    return "; ".join(filter(None, [f"{place}{error.strerror or error}", advice]))
