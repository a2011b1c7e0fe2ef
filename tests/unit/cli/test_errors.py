"""How commands end where the state directory can't be used: one line and exit code 2, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from meantime.cli import cli


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
