"""Sessions of browsers: a random id in a cookie, and in memory the access key that it stands for.

Neither the key nor anything made of it is in the cookie, so a session ends here when somebody signs out, when it is too
old, when the key is revoked or changed, and when the server ends. The form is in ``pages/sign_in.py``; what a session
may be used for is decided in ``callers.py`` and ``security.py``.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from meantime.errors import NoPlaceError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from meantime.access_keys import AccessKey, AccessKeyFile

COOKIE_NAME = "meantime_session"

LONGEST_S = 12 * 3600.0
"""How long a session lasts, whether it is used or not."""

SESSION_COUNT = 5000
"""How many there are at most; one who comes then has to wait."""

SHARE = 100
"""How many one key has; its oldest makes room for a new one."""

RETRY_AFTER_S = 60

_COOKIE = re.compile(rf"(?:^|;)\s*{COOKIE_NAME}=([A-Za-z0-9_-]{{43}})(?=\s*(?:;|$))", re.ASCII)
_MOST_COOKIES = 4
"""How many of a request are looked at: servers below other paths, or on other ports, of one host have theirs."""


class _Session(NamedTuple):
    key: AccessKey
    ends_at: float


def session_ids(environ: WSGIEnvironment) -> list[str]:
    """Return what a request's cookies give as the id of a session; each may be anything."""
    return _COOKIE.findall(environ.get("HTTP_COOKIE", ""))[:_MOST_COOKIES]


class Sessions:
    """The sessions of one application. May be used from any thread; times are monotonic seconds.

    Parameters
    ----------
    keys
        The access keys; they may change while the server runs.
    bound, share
        How many sessions there are at most, and of one key.
    """

    def __init__(self, keys: AccessKeyFile, *, bound: int = SESSION_COUNT, share: int = SHARE) -> None:
        self.keys = keys
        self._bound = bound
        self._share = share
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}  # guarded by self._lock; by the id's hash, the oldest first

    @property
    def count(self) -> int:
        """How many are kept."""
        return len(self._sessions)

    def begin(self, key: AccessKey) -> str:
        """Begin a session and return its id, which nobody had before.

        Raises
        ------
        NoPlaceError
            There are as many as may be, of other keys.
        AccessKeyError
            The keys can't be read.
        """
        session_id = secrets.token_urlsafe(32)
        now = time.monotonic()
        with self._lock:
            kept = {digest: each for digest, each in self._sessions.items() if each.ends_at > now}
            own = [digest for digest, each in kept.items() if each.key.name == key.name]
            for digest in own[: max(0, len(own) + 1 - self._share)]:
                del kept[digest]
            if len(kept) >= self._bound:
                kept = {digest: each for digest, each in kept.items() if self.keys.holds(each.key)}
            self._sessions = kept
            if len(kept) >= self._bound:
                raise NoPlaceError(
                    f"all {self._bound} sessions are taken; try again in {RETRY_AFTER_S} s, or sign out elsewhere",
                    retry_after_s=RETRY_AFTER_S,
                )
            kept[_sha256(session_id)] = _Session(key, now + LONGEST_S)
        return session_id

    def find(self, session_id: str) -> AccessKey | None:
        """Return the key of a session that goes on, or None.

        The id is looked up by its hash, which tells nothing about ids that there are, however long that takes.

        Raises
        ------
        AccessKeyError
            The keys can't be read; nobody is let in then.
        """
        with self._lock:
            found = self._sessions.get(_sha256(session_id))
        if found is None:
            return None
        if found.ends_at > time.monotonic() and self.keys.holds(found.key):
            return found.key
        self.end(session_id)
        return None

    def end(self, session_id: str) -> None:
        """End a session; harmless where there is none."""
        with self._lock:
            self._sessions.pop(_sha256(session_id), None)


def _sha256(session_id: str) -> str:
    return hashlib.sha256(session_id.encode("ascii")).hexdigest()
