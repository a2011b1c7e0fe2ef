"""``meantime keys``: adds, lists and revokes access keys in a state directory. The server needn't be stopped."""

from __future__ import annotations

import time

import click

from meantime.access_keys import AccessKeyFile, Role
from meantime.cli.errors import one_line_errors
from meantime.settings import load_settings

_STATE_DIR = click.option(
    "--state-dir", metavar="PATH", help="The server's state directory. [default: the working directory]"
)


@click.group()
def keys() -> None:
    """Say who may use a server that others can reach.

    A server whose state directory holds keys asks every client for one, also clients on its own machine. A client sends
    it as a header: "Authorization: Bearer KEY". Adding and revoking counts at once, but for the first key, which the
    server sees when it starts.
    """


@keys.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([role.value for role in Role]),
    required=True,
    help="read: look; submit: also submit and cancel jobs; admin: also see all jobs, reload, shut down.",
)
@click.option("--owner", metavar="NAME", help="Share the jobs that belong to NAME. [default: the key's own name]")
@_STATE_DIR
def add(name: str, role: str, owner: str | None, state_dir: str | None) -> None:
    """Make a key called NAME and show it, this once.

    Jobs belong to the key's owner. To replace a key without losing its jobs, revoke it and add one of the same name, or
    give the new one --owner.
    """
    with one_line_errors():
        file = _file(state_dir)
        is_first = not file.exists
        secret = file.add(name, Role(role), owner=owner)
    click.echo(secret)
    click.echo("Keep it now: only its hash is stored.", err=True)
    if is_first:
        click.echo("This is the first key: a server that runs already asks for keys after a restart.", err=True)


@keys.command(name="list")
@_STATE_DIR
def list_keys(state_dir: str | None) -> None:
    """List the keys, in the order in which they were added."""
    with one_line_errors():
        known = _file(state_dir).access_keys()
    rows = [("NAME", "ROLE", "OWNER", "ADDED (UTC)")]
    rows += [
        (key.name, key.role.value, key.owner, time.strftime("%Y-%m-%d %H:%M", time.gmtime(key.created_at)))
        for key in known
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@keys.command()
@click.argument("name")
@_STATE_DIR
def revoke(name: str, state_dir: str | None) -> None:
    """Make the key called NAME useless. Its jobs stay."""
    with one_line_errors():
        _file(state_dir).revoke(name)
    click.echo(f"{name} is revoked.")


def _file(state_dir: str | None) -> AccessKeyFile:
    return AccessKeyFile(load_settings({"state_dir": state_dir}).keys_file)
