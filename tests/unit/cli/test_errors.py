"""How commands end where the state directory can't be used: one line and exit code 2, never a traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from click.exceptions import Exit
from click.testing import CliRunner

from meantime.cli import cli
from meantime.cli.errors import one_line_errors


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "list"),
        ("keys", "add", "alice", "--role", "read"),
        ("keys", "revoke", "alice"),
        ("backup", "copy.sqlite3"),
        ("doctor", "--accept-lost-jobs"),
    ],
    ids=" ".join,
)
def test_a_state_directory_that_cannot_be_looked_at_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    # It fails as a folder of another user does, which root would be let into.
    ended = CliRunner().invoke(cli, [*arguments, "--state-dir", f"{tmp_path / ('x' * 300)}"])
    assert ended.exit_code == 2, ended.output
    assert ended.stderr.startswith("Error: ")
    assert len(ended.stderr.splitlines()) == 1
    assert "--state-dir" in ended.stderr


@pytest.mark.parametrize(
    ("number", "file", "advice"),
    [
        (errno.ENOSPC, None, "free some space"),
        (errno.ENOSPC, "x", "free some space"),
        (errno.EMFILE, "x", "allow more open files"),
        (errno.ENFILE, None, "allow more open files"),
        (errno.EACCES, "x", "run this as the server's user"),
        (errno.EIO, None, "Input/output error"),
    ],
)
def test_what_the_system_refuses_is_one_line_with_what_helps(
    number: int, file: str | None, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as ended, one_line_errors():
        raise OSError(number, os.strerror(number), *filter(None, [file]))
    [line] = capsys.readouterr().err.splitlines()
    assert (ended.value.exit_code, line.startswith("Error: "), advice in line) == (2, True, True)
    assert "None" not in line
    assert ("--state-dir" in line) == (number == errno.EACCES)
