"""The file of access keys: adding, finding, revoking, and what is refused."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from meantime.access_keys import AccessKeyFile, Role
from meantime.errors import AccessKeyError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".meantime" / "keys.json"


@pytest.fixture
def file(path: Path) -> AccessKeyFile:
    return AccessKeyFile(path)


def test_there_are_no_keys_until_one_is_added(file: AccessKeyFile) -> None:
    assert not file.exists
    assert file.access_keys() == []
    file.add("alice", Role.SUBMIT)
    assert file.exists


def test_a_key_is_found_by_its_secret_and_by_nothing_else(file: AccessKeyFile) -> None:
    secrets = {name: file.add(name, Role.READ) for name in ("alice", "bob")}
    assert len(set(secrets.values())) == 2
    for name, secret in secrets.items():
        found = file.find(secret)
        assert found is not None
        assert (found.name, found.role, found.owner) == (name, Role.READ, name)
    wrong = ["", "mt_", secrets["alice"][:-1], secrets["alice"] + "x", secrets["alice"].lower(), "\ud800", "alice"]
    wrong += [key.sha256 for key in file.access_keys()]
    assert [file.find(secret) for secret in wrong] == [None] * len(wrong)


def test_the_file_never_holds_a_secret(file: AccessKeyFile, path: Path) -> None:
    secret = file.add("alice", Role.ADMIN)
    content = path.read_text()
    assert "alice" in content
    assert secret not in content
    assert secret.removeprefix("mt_") not in content


def test_file_and_folder_are_for_their_user_alone(file: AccessKeyFile, path: Path) -> None:
    file.add("alice", Role.ADMIN)
    file.add("bob", Role.READ)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_file_that_others_can_open_is_refused(file: AccessKeyFile, path: Path, mode: int) -> None:
    secret = file.add("alice", Role.ADMIN)
    path.chmod(mode)
    with pytest.raises(AccessKeyError, match="chmod 600"):
        file.find(secret)


def test_a_revoked_key_is_unknown_at_once_also_to_another_process(file: AccessKeyFile, path: Path) -> None:
    server = AccessKeyFile(path)
    alice, bob = file.add("alice", Role.SUBMIT), file.add("bob", Role.SUBMIT)
    assert server.find(alice) is not None
    file.revoke("alice")
    assert server.find(alice) is None
    assert server.find(bob) is not None


def test_revoking_the_last_key_opens_nothing(file: AccessKeyFile) -> None:
    secret = file.add("alice", Role.SUBMIT)
    file.revoke("alice")
    assert file.exists
    assert file.find(secret) is None


def test_a_key_added_later_is_found_at_once(file: AccessKeyFile, path: Path) -> None:
    server = AccessKeyFile(path)
    file.add("alice", Role.SUBMIT)
    assert server.find("mt_" + "x" * 43) is None
    assert server.find(file.add("bob", Role.SUBMIT)) is not None


def test_a_name_is_taken_once_and_free_again_after_revoking(file: AccessKeyFile) -> None:
    first = file.add("alice", Role.SUBMIT)
    with pytest.raises(AccessKeyError, match="already"):
        file.add("alice", Role.READ)
    file.revoke("alice")
    second = file.add("alice", Role.READ)
    assert file.find(first) is None
    assert file.find(second) is not None


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "-a", "a\n", "a" * 65, "\u00e9", "a/b"])
def test_a_name_that_would_confuse_lists_and_logs_is_refused(file: AccessKeyFile, name: str) -> None:
    with pytest.raises(AccessKeyError, match="no name"):
        file.add(name, Role.READ)
    with pytest.raises(AccessKeyError, match="no name"):
        file.add("alice", Role.READ, owner=name or " ")
    assert not file.exists


def test_revoking_an_unknown_key_names_the_known_ones(file: AccessKeyFile) -> None:
    with pytest.raises(AccessKeyError, match="there are none"):
        file.revoke("alice")
    file.add("bob", Role.READ)
    with pytest.raises(AccessKeyError, match="known are bob"):
        file.revoke("alice")


def test_a_key_can_share_the_jobs_of_another(file: AccessKeyFile) -> None:
    found = file.find(file.add("dashboard", Role.READ, owner="alice"))
    assert found is not None
    assert (found.name, found.owner) == ("dashboard", "alice")


KEY = {"name": "a", "role": "submit", "owner": "a", "sha256": "0" * 64, "created_at": 0}


def key_file(**changes: object) -> str:
    """Return a file of one key, with some of its members changed."""
    return json.dumps({"format": 1, "keys": [KEY | changes]})


DAMAGED = {
    "empty": "",
    "not JSON": "{",
    "a list": "[]",
    "no keys": '{"format": 1}',
    "an unknown role": key_file(role="root"),
    "an owner that is null, who would see all jobs": key_file(owner=None),
    "no owner's name, whom jobs without an owner would belong to": key_file(owner=""),
    "an owner that is a number": key_file(owner=7),
    "an owner with a line end": key_file(owner="a\n"),
    "a name that is null": key_file(name=None),
    "a name with a control character": key_file(name="a\x1b[2J"),
    "a hash that is null": key_file(sha256=None),
    "a hash that is too short": key_file(sha256="0"),
    "a time that is a text": key_file(created_at="now"),
    "a time that is true": key_file(created_at=True),
    "a time before there were any": key_file(created_at=-62_135_596_801),
    "a time in the year 99999": key_file(created_at=3_093_527_980_800),
    "a time without an end": key_file(created_at=0).replace('"created_at": 0', '"created_at": 1e999'),
    "a member that nobody knows": key_file(admin=True),
    "two keys of one name": json.dumps({"format": 1, "keys": [KEY, KEY | {"sha256": "1" * 64}]}),
    "two keys of one hash": json.dumps({"format": 1, "keys": [KEY, KEY | {"name": "b", "role": "admin"}]}),
    "JSON too deep to be read": "[" * 100_000,
    "JSON too deep to be read, and closed": '{"format": 1, "keys": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "a key without a role": '{"format": 1, "keys": [{"name": "a"}]}',
    "a newer format": '{"format": 2, "keys": []}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_lets_nobody_in_and_is_never_overwritten(file: AccessKeyFile, path: Path, content: str) -> None:
    secret = file.add("alice", Role.ADMIN)
    path.write_text(content)
    uses: list[Callable[[], object]] = [
        lambda: file.find(secret),
        file.access_keys,
        lambda: file.add("bob", Role.READ),
        lambda: file.revoke("alice"),
    ]
    for use in uses:
        with pytest.raises(AccessKeyError, match="keys.json"):
            use()
    assert path.read_text() == content


def test_a_file_that_vanishes_lets_nobody_in(file: AccessKeyFile, path: Path) -> None:
    secret = file.add("alice", Role.ADMIN)
    assert file.find(secret) is not None
    path.unlink()
    with pytest.raises(AccessKeyError, match="can't read"):
        file.find(secret)


def test_keys_added_at_the_same_time_are_all_there(path: Path) -> None:
    start = threading.Barrier(8)

    def add(name: str) -> None:
        start.wait()
        AccessKeyFile(path).add(name, Role.SUBMIT)

    threads = [threading.Thread(target=add, args=(f"key-{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.name for key in AccessKeyFile(path).access_keys()) == [f"key-{i}" for i in range(8)]


def test_a_link_to_a_file_that_is_gone_lets_nobody_in(file: AccessKeyFile, path: Path, tmp_path: Path) -> None:
    secret = file.add("alice", Role.ADMIN)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "not-mounted")
    assert file.exists, "keys are in use here, though they can't be read"
    for look in (file.access_keys, lambda: file.find(secret)):
        with pytest.raises(AccessKeyError, match="can't read the access keys"):
            look()
