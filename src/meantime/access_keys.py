"""Access keys: who may come in from elsewhere, and what a key allows. One JSON file in the state directory.

A key is 256 random bits, shown once. The file holds its SHA-256: for a secret that nobody can guess a plain hash is
enough (NIST SP 800-63B, section 5.1.2.2), and comparing hashes by looking them up tells nothing about the secret.
What a role may do on the wire is decided in ``web/admission/callers.py``.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path

from meantime.errors import AccessKeyError
from meantime.fields.fields import parse_json
from meantime.fields.kinds import is_time
from meantime.fields.refusals import shown

PREFIX = "mt_"
"""What every key begins with, so that scanners find one that has got into a repository."""

SECRET_BYTES = 32
FORMAT = 1

_SECRET = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_OPEN_TO_OTHERS = 0o077


class Role(StrEnum):
    """What a key allows; each role includes the ones before it."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what another may.

        >>> Role.ADMIN.includes(Role.READ), Role.READ.includes(Role.SUBMIT)
        (True, False)
        """
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One key, without its secret.

    ``owner`` is whom the key's jobs belong to: by default its own name. ``created_at`` is in seconds since the epoch.
    """

    name: str
    role: Role
    owner: str
    sha256: str
    created_at: float


_ROLE = re.compile("|".join(Role))

_Signature = tuple[int, int, int]


class AccessKeyFile:
    """The keys of one state directory. May be used from any thread, and changed by another process meanwhile.

    Parameters
    ----------
    path
        The file; it appears with the first key, and stays when the last one is revoked: then nobody gets in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Replaced as a whole: what the file looked like when it was read, and its keys by hash.
        self._known: tuple[_Signature, Mapping[str, AccessKey]] | None = None

    @property
    def exists(self) -> bool:
        """Whether keys are in use here; also where the file is a link to one that is gone.

        OSError when nobody can tell: then it is not that there are none.
        """
        try:
            self._path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def access_keys(self) -> list[AccessKey]:
        """Return the keys in the order in which they were added; none when there is no file.

        Raises
        ------
        AccessKeyError
            The file can't be read, isn't one of ours, or is open to other users.
        """
        return list(self._current().values()) if self.exists else []

    def find(self, secret: str) -> AccessKey | None:
        """Return the key with this secret, or None. A change of the file counts from the next call on.

        Raises
        ------
        AccessKeyError
            The file is gone or can't be used; nobody is let in then.
        """
        known = self._current()
        return known.get(_sha256(secret)) if _SECRET.fullmatch(secret) else None

    def holds(self, key: AccessKey) -> bool:
        """Whether a key is still there, and unchanged; raises what ``find`` raises."""
        return self._current().get(key.sha256) == key

    def add(self, name: str, role: Role, *, owner: str | None = None) -> str:
        """Add a key and return its secret, which is kept nowhere.

        Parameters
        ----------
        name
            What the key is called in lists and logs.
        role
            What it allows.
        owner
            Whom its jobs belong to; another key's owner's name shares that one's jobs. By default the name.

        Raises
        ------
        AccessKeyError
            The name is taken or not acceptable, or the file can't be used.
        """
        for given in (name, owner or name):
            if _NAME.fullmatch(given) is None:
                raise AccessKeyError(f"{given!r} is no name for a key; use up to 64 letters, digits, '.', '_' and '-'")
        with self._changing() as keys:
            if name in keys:
                raise AccessKeyError(f"there is a key {name} already; revoke it first, or choose another name")
            secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
            keys[name] = AccessKey(name, role, owner or name, _sha256(secret), time.time())
        return secret

    def revoke(self, name: str) -> None:
        """Remove a key.

        Raises
        ------
        AccessKeyError
            There is no such key, or the file can't be used.
        """
        with self._changing() as keys:
            if name not in keys:
                known = f"known are {', '.join(sorted(keys))}" if keys else "there are none"
                raise AccessKeyError(f"there is no key {name!r}; {known}")
            del keys[name]

    def _current(self) -> Mapping[str, AccessKey]:
        """Return the keys by hash, read anew if the file has changed."""
        known = self._known
        try:
            signature = _signature(self._path)
            if known is None or known[0] != signature:
                known = (signature, _read(self._path))
                self._known = known
        except OSError as error:
            raise AccessKeyError(
                f"can't read the access keys {self._path}: {error.strerror}; let the server's user read the file"
            ) from error
        return known[1]

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, AccessKey]]:
        """Give the keys by name to be changed, and write them; one process at a time."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.parent.chmod(0o700)  # it was there, perhaps
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                keys = {key.name: key for key in self.access_keys()}
                yield keys
                _write(self._path, list(keys.values()))
            finally:
                os.close(lock)
        except OSError as error:
            raise AccessKeyError(f"can't write {self._path}: {error.strerror}; choose another --state-dir") from error


def files_to_enclose(path: Path) -> dict[str, str]:
    """Return the file of access keys by its name, for a backup; nothing where there is none.

    Raises
    ------
    AccessKeyError
        It is there and can't be read.
    """
    try:
        return {path.name: path.read_text("ascii")}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise AccessKeyError(f"can't read {path} into the backup: {error}") from error


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _signature(path: Path) -> _Signature:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _read(path: Path) -> dict[str, AccessKey]:
    """Read the file; the keys by hash."""
    if path.stat().st_mode & _OPEN_TO_OTHERS:
        raise AccessKeyError(f"{path} is open to other users; run: chmod 600 {path}")
    try:
        content = parse_json(path.read_bytes())
    except ValueError as error:
        raise _damaged(path, f"it is not JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(rows := content.get("keys"), list):
        raise _damaged(path, "it has no list of keys")
    if content.get("format") != FORMAT:
        raise AccessKeyError(f"{path} was written by a newer version of Meantime; install that version")
    for row in rows:
        if (fault := _fault_of(row)) is not None:
            raise _damaged(path, fault)
    keys = {row["sha256"]: AccessKey(**row | {"role": Role(row["role"])}) for row in rows}
    if not len({key.name for key in keys.values()}) == len(keys) == len(rows):
        raise _damaged(path, "a name or a hash is there twice")
    return keys


def _damaged(path: Path, fault: str) -> AccessKeyError:
    return AccessKeyError(f"{path} is no file of access keys: {fault}; restore it, or delete it and add the keys anew")


def _fault_of(row: object) -> str | None:
    """Return what of a key in the file is not as ``_write`` writes it, or None.

    An owner that is null, say, would be taken for everybody's by whoever asks whose jobs may be seen.
    """
    if not isinstance(row, dict) or row.keys() != {each.name for each in fields(AccessKey)}:
        return f"{shown(row)} is no key"
    patterns = {"name": _NAME, "owner": _NAME, "sha256": _SHA256, "role": _ROLE}
    for member, pattern in patterns.items():
        if not isinstance(row[member], str) or pattern.fullmatch(row[member]) is None:
            return f"{member} is {shown(row[member])}"
    created_at = row["created_at"]
    return None if is_time(created_at) else f"created_at is {shown(created_at)}"


def _write(path: Path, keys: list[AccessKey]) -> None:
    """Replace the file, so that a reader sees the old or the new one, also after a power cut."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)  # its mode would stay
    content = json.dumps({"format": FORMAT, "keys": [asdict(key) for key in keys]}, indent=2) + "\n"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
