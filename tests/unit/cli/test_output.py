"""What commands print is fit for a terminal, whatever is in names of files, and in arguments."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from meantime.cli import cli
from meantime.cli.backup import back_up
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from tests.unit.survey.tables import written

HOSTILE = "\x1b[2J\x9b\u202e"
"""Clears a terminal, and turns the order of letters round."""

UNKNOWN_TABLE = "Area,Share\nOhio,1.5\nUtah,2.5\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with such a name: a state directory with a job store, beside it a backup, cases and a table."""
    folder = tmp_path / HOSTILE
    with closing(SqliteJobStore(folder / ".meantime")):
        pass
    back_up(folder / ".meantime", folder / "backup.sqlite3")
    for place, name in (("input", "in"), ("output", "out")):
        file = folder / "cases" / HOSTILE / place / f"{name}-1.json"
        file.parent.mkdir(parents=True)
        file.write_text("{")
    (folder / "misnamed" / HOSTILE / "input").mkdir(parents=True)
    (folder / "misnamed" / HOSTILE / "input" / "in-x.json").touch()
    written(folder, UNKNOWN_TABLE, "unknown.csv")
    return folder


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["keys", "add", "ann", "--role", "read", "--state-dir", "{}"], 0),
        (["keys", "add", "ann", "--role", "read", "--state-dir", "{}/new"], 0),
        (["keys", "list", "--state-dir", "{}"], 0),
        (["keys", "revoke", "ann", "--state-dir", "{}"], 2),
        (["backup", "{}/another.sqlite3", "--state-dir", "{}"], 0),
        (["restore", "{}/backup.sqlite3", "--state-dir", "{}"], 0),
        (["doctor", "--accept-lost-jobs", "--state-dir", "{}/new"], 1),
        (["doctor", "--config", "{}/none.toml"], 2),
        (["check", "{}/cases"], 2),
        (["check", "{}/misnamed"], 2),
        (["check", "{}"], 2),
        (["check", "{}/none"], 2),
        (["inspect", "{}/unknown.csv", "--write-mapping", "{}/proposed.toml"], 0),
        (["inspect", "{}/unknown.csv", "{}/another.csv"], 2),
        (["serve", "--{hostile}"], 2),
        (["{hostile}"], 2),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_no_control_character_of_a_name_gets_to_the_terminal(
    folder: Path, arguments: list[str], exit_code: int
) -> None:
    ended = CliRunner().invoke(cli, [each.format(folder, hostile=HOSTILE) for each in arguments], color=True)
    assert ended.exit_code == exit_code, ended.output
    assert ended.output.strip()
    assert all(line.isprintable() for line in ended.output.split("\n")), ended.output
