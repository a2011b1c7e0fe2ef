"""The command line: one file a command, loaded when it is called, so that ``--help`` stays quick."""

from __future__ import annotations

import importlib
import sys
import time

import click

from meantime import __version__
from meantime.cli.errors import one_line_errors
from meantime.cli.output import open_streams, printable_refusals

COMMANDS: dict[str, tuple[str, str]] = {
    # command: (module, one line of help); the module has a click command of the same name
    "serve": ("meantime.cli.serve", "Serve a table: CDC's bundled table when none is given."),
    "keys": ("meantime.cli.keys", "Add, list and revoke access keys."),
    "inspect": ("meantime.cli.inspect", "Report what a table holds; propose a mapping for an unknown one."),
    "backup": ("meantime.cli.backup", "Copy job store and access keys, while the server runs or not."),
    "restore": ("meantime.cli.restore", "Put a backup in the place of the job store."),
    "doctor": ("meantime.cli.doctor", "Check store, results, disk, SQLite, clock and permissions."),
    "check": ("meantime.cli.check", "Check a running server against a folder of expected responses."),
    "bundle": ("meantime.cli.bundle", "Write the slim table that the package carries from CDC's full export."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name)
        return command

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """Read the arguments; what is wrong with them, or can't be printed, is said so that it can be shown."""
        with one_line_errors(), printable_refusals():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; what it refuses is said so that it can be shown."""
        with one_line_errors(), printable_refusals():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="meantime")
def cli() -> None:
    """Ask for a mean; do something else in the meantime.

    A server for statistics over tables of published survey estimates. Start with: meantime serve
    """


def main() -> None:
    """Run the command line; a clock that shows a time no program can hold is said in one line, not by a traceback."""
    try:
        time.time()
    except OverflowError:
        sys.stderr.write(
            "Error: the clock shows a time after the year 2262, which can't be used; set it, and run NTP\n"
        )
        raise SystemExit(2) from None
    open_streams()
    cli()
