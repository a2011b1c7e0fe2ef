"""What commands print is fit for a terminal, whatever is in names of files, and in arguments."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from meantime.access_keys import AccessKeyFile
from meantime.cli import cli
from meantime.cli.backup import back_up
from meantime.jobs.sqlite.sqlite_job_store import SqliteJobStore
from tests.unit.survey.tables import ROW, csv_text, written

pytestmark = pytest.mark.slow

HOSTILE = "\x1b[2J\x9b\u202e"
"""Clears a terminal, and turns the order of letters round."""

MEANTIME = Path(sys.executable).with_name("meantime")

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


@pytest.mark.parametrize(
    "arguments",
    [
        "inspect {}/known.csv",
        "inspect {}/known.csv --json",
        "doctor --state-dir {}",
        "keys list --state-dir {}",
        "--help",
    ],
)
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-", "2>&-"])
def test_output_that_cannot_be_written_is_no_traceback(tmp_path: Path, arguments: str, redirection: str) -> None:
    written(tmp_path, csv_text([ROW]), "known.csv")
    command = f"exec {MEANTIME} {arguments.format(tmp_path)} {redirection}"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    if redirection == ">/dev/full":
        last_line = ended.stderr.splitlines()[-1]
        assert (ended.returncode, last_line) == (2, "Error: No space left on device; free some space")
        assert "Traceback" not in ended.stderr
    else:
        assert ended.returncode == (1 if arguments.startswith("doctor") else 0), ended.stderr


def test_a_key_that_nobody_has_seen_is_taken_back(tmp_path: Path) -> None:
    command = f"exec {MEANTIME} keys add ann --role read --state-dir {tmp_path} >/dev/full"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "Error: No space left on device; free some space\n")
    assert AccessKeyFile(tmp_path / ".meantime" / "keys.json").access_keys() == []
