"""``meantime keys``: what it prints, writes and refuses."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from meantime.access_keys import AccessKeyFile, Role
from meantime.cli.keys import keys


@pytest.fixture
def file(tmp_path: Path) -> AccessKeyFile:
    """The keys of the test's state directory."""
    return AccessKeyFile(tmp_path / ".meantime" / "keys.json")


def run(tmp_path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(keys, [*arguments, "--state-dir", str(tmp_path)])


def test_add_prints_the_key_alone_so_that_it_can_be_piped(tmp_path: Path, file: AccessKeyFile) -> None:
    done = run(tmp_path, "add", "alice", "--role", "submit")
    assert done.exit_code == 0
    found = file.find(done.stdout.strip())
    assert found is not None
    assert (found.name, found.role, found.owner) == ("alice", Role.SUBMIT, "alice")
    assert "restart" in done.stderr
    assert "restart" not in run(tmp_path, "add", "bob", "--role", "read").stderr


def test_list_shows_names_roles_and_owners_and_no_secret(tmp_path: Path, file: AccessKeyFile) -> None:
    secret = run(tmp_path, "add", "alice", "--role", "admin").stdout.strip()
    run(tmp_path, "add", "dashboard", "--role", "read", "--owner", "alice")
    done = run(tmp_path, "list")
    rows = [line.split()[:3] for line in done.stdout.splitlines()]
    assert rows == [["NAME", "ROLE", "OWNER"], ["alice", "admin", "alice"], ["dashboard", "read", "alice"]]
    assert secret not in done.output
    assert not [key for key in file.access_keys() if key.sha256 in done.output]


def test_list_without_keys_shows_none_and_makes_no_file(tmp_path: Path, file: AccessKeyFile) -> None:
    done = run(tmp_path, "list")
    assert (done.exit_code, len(done.stdout.splitlines())) == (0, 1)
    assert not file.exists


def test_who_revokes_the_last_key_is_told_that_nobody_gets_in_any_more(tmp_path: Path, file: AccessKeyFile) -> None:
    run(tmp_path, "add", "alice", "--role", "submit")
    run(tmp_path, "add", "bob", "--role", "admin")
    assert run(tmp_path, "revoke", "alice").stderr == ""
    for done in (run(tmp_path, "revoke", "bob"), run(tmp_path, "list")):
        assert done.exit_code == 0
        assert "no key is left, so nobody gets in" in done.stderr
        assert f"delete {tmp_path / '.meantime' / 'keys.json'}" in done.stderr
    assert file.exists


def test_revoke_makes_a_key_useless(tmp_path: Path, file: AccessKeyFile) -> None:
    secret = run(tmp_path, "add", "alice", "--role", "submit").stdout.strip()
    assert run(tmp_path, "revoke", "alice").exit_code == 0
    assert file.find(secret) is None


def test_add_says_where_the_key_went_and_warns_where_no_server_has_been(tmp_path: Path) -> None:
    done = run(tmp_path, "add", "alice", "--role", "submit")
    assert str(tmp_path / ".meantime" / "keys.json") in done.stderr
    assert f"Warning: no server has used {tmp_path} yet" in done.stderr
    assert "--state-dir" in done.stderr
    (tmp_path / ".meantime" / "jobs.sqlite3").touch()
    in_place = run(tmp_path, "add", "bob", "--role", "read")
    assert str(tmp_path / ".meantime" / "keys.json") in in_place.stderr
    assert "Warning" not in in_place.stderr


def test_a_folder_without_keys_is_named_by_list_and_revoke(tmp_path: Path) -> None:
    file = str(tmp_path / ".meantime" / "keys.json")
    assert f"there are no access keys in {file}" in run(tmp_path, "list").stderr
    revoked = run(tmp_path, "revoke", "bob")
    assert f"there are no access keys in {file}" in revoked.stderr
    assert revoked.exit_code == 2
    assert not (tmp_path / ".meantime").exists()


def test_the_state_directory_of_a_settings_file_counts(tmp_path: Path, file: AccessKeyFile) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text('state_dir = "."')
    done = CliRunner().invoke(keys, ["add", "alice", "--role", "read", "--config", str(settings)])
    assert done.exit_code == 0
    assert [key.name for key in file.access_keys()] == ["alice"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make files of another user")
@pytest.mark.parametrize("arguments", [("add", "bob", "--role", "admin"), ("revoke", "alice"), ("list",)])
@pytest.mark.parametrize("planted", ["", "keys.json", "stored"])
def test_the_keys_of_another_users_folder_are_neither_changed_nor_shown(
    tmp_path: Path, planted: str, arguments: tuple[str, ...]
) -> None:
    run(tmp_path, "add", "alice", "--role", "submit")
    folder = tmp_path / ".meantime"
    (folder / "stored").mkdir()
    before = {place.name: place.lstat().st_mtime_ns for place in folder.iterdir()}
    os.chown(folder / planted, 12345, 12345)
    done = run(tmp_path, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{folder / planted} belongs to another user (uid 12345)" in done.stderr
    assert {place.name: place.lstat().st_mtime_ns for place in folder.iterdir()} == before


def test_a_folder_that_was_open_to_others_is_closed_before_a_key_goes_there(tmp_path: Path) -> None:
    folder = tmp_path / ".meantime"
    folder.mkdir()
    folder.chmod(0o777)
    assert run(tmp_path, "add", "alice", "--role", "submit").exit_code == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("created_at", ["1e20", "253402300800", "-62135596801", "1e999", '"now"', "null", "[]"])
def test_a_time_that_is_none_is_refused_in_one_line(tmp_path: Path, file: AccessKeyFile, created_at: str) -> None:
    run(tmp_path, "add", "alice", "--role", "submit")
    path = tmp_path / ".meantime" / "keys.json"
    path.write_text(re.sub(r'("created_at": )[^\n]+', rf"\g<1>{created_at}", path.read_text()))
    done = run(tmp_path, "list")
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{path} is no file of access keys: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("revoke", "bob"), "there is no key 'bob'"),
        (("add", "alice", "--role", "read"), "already"),
        (("add", "../x", "--role", "read"), "no name"),
        (("add", "bob", "--role", "root"), "'root' is not one of"),
        (("add", "bob"), "--role"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    run(tmp_path, "add", "alice", "--role", "submit")
    done = run(tmp_path, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output
    assert done.stdout == ""
