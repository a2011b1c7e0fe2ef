"""``meantime keys``: adds, lists and revokes access keys in a state directory. The server needn't be stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from meantime.access_keys import AccessKeyFile, Role
from meantime.cli.errors import one_line_errors
from meantime.cli.output import print_lines
from meantime.errors import AccessKeyError
from meantime.jobs.state_directory import check_is_ours
from meantime.settings import Settings, load_settings


def _place_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say whose keys are meant."""
    command = click.option(
        "--config", type=click.Path(path_type=Path), help="A TOML file with settings. [default: meantime.toml]"
    )(command)
    return click.option("--state-dir", metavar="VALUE", help="The server's state directory. [default: as for serve]")(
        command
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
@_place_options
def add(name: str, role: str, owner: str | None, state_dir: str | None, config: Path | None) -> None:
    """Make a key called NAME and show it, this once.

    Jobs belong to the key's owner. To replace a key without losing its jobs, revoke it and add one of the same name, or
    give the new one --owner.
    """
    with one_line_errors():
        settings = _settings(state_dir, config)
        file = AccessKeyFile(settings.keys_file)
        is_first = not file.exists
        secret = file.add(name, Role(role), owner=owner)
    try:
        print_lines(secret)
    except OSError:
        file.revoke(name)  # nobody has seen it, nobody ever will
        raise
    print_lines(f"Keep it now: only its hash is stored, in {settings.keys_file}", err=True)
    if not (settings.store_dir / "jobs.sqlite3").exists():
        message = f"Warning: no server has used {settings.state_dir} yet. The key is for one that is started with"
        print_lines(f"{message} --state-dir {settings.state_dir}; for another, give its --state-dir here.", err=True)
    if is_first:
        print_lines("This is the first key: a server that runs already asks for keys after a restart.", err=True)


@keys.command(name="list")
@_place_options
def list_keys(state_dir: str | None, config: Path | None) -> None:
    """List the keys, in the order in which they were added."""
    with one_line_errors():
        settings = _settings(state_dir, config)
        file = AccessKeyFile(settings.keys_file)
        known = file.access_keys()
    if not file.exists:
        print_lines(_absence(settings), err=True)
    elif not known:
        print_lines(_no_key_is_left(settings), err=True)
    rows = [("NAME", "ROLE", "OWNER", "ADDED (UTC)")]
    rows += [
        (key.name, key.role.value, key.owner, time.strftime("%Y-%m-%d %H:%M", time.gmtime(key.created_at)))
        for key in known
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        print_lines("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@keys.command()
@click.argument("name")
@_place_options
def revoke(name: str, state_dir: str | None, config: Path | None) -> None:
    """Make the key called NAME useless. Its jobs stay."""
    with one_line_errors():
        settings = _settings(state_dir, config)
        file = AccessKeyFile(settings.keys_file)
        if not file.exists:
            raise AccessKeyError(_absence(settings))
        file.revoke(name)
        left = file.access_keys()
    print_lines(f"{name} is revoked.")
    if not left:
        print_lines(_no_key_is_left(settings), err=True)


def _settings(state_dir: str | None, config: Path | None) -> Settings:
    """Return the settings of the server that is meant; StoreUnavailableError when its folder isn't this user's."""
    found = load_settings({"state_dir": state_dir}, config=config)
    if found.store_dir.exists():
        check_is_ours(found.store_dir)
    return replace(found, state_dir=found.state_dir.absolute())


def _no_key_is_left(settings: Settings) -> str:
    return (
        "no key is left, so nobody gets in: add one; or, for a server that asks nobody for one, "
        f"delete {settings.keys_file} and start it again"
    )


def _absence(settings: Settings) -> str:
    return (
        f"there are no access keys in {settings.keys_file}: a server there asks nobody for one; "
        "if you meant another server, name its folder with --state-dir"
    )
