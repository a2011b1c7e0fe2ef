"""Who asks, and whether they may: from a key or a session to a Caller, and the ONE table of roles that routes need.

Without access keys everybody who reaches the server is the same caller and may do everything that ``security.py``
admits. Whether a job is the caller's is checked by the service.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from meantime.access_keys import Role
from meantime.errors import AccessKeyError
from meantime.web.admission.security import is_loopback
from meantime.web.admission.sessions import session_ids

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from meantime.access_keys import AccessKey
    from meantime.web.admission.sessions import Sessions

CALLER_KEY = "meantime.caller"
"""Where the caller of a request is left in its environment, once it is known."""

_STILL_KNOWN = "meantime.still_known"
"""Where a request with a key has what tells whether the key is still what it was."""

_SESSION = "meantime.session"
"""Is in the environment of a request whose key is that of a session."""

_UNASKED_ROUTES = frozenset({"/healthz", "/readyz", "/static/<path:filename>"})
"""Where nobody looks whether a key came along."""

OPEN_ROUTES = _UNASKED_ROUTES | {"/problems"}
"""What anybody may GET: it tells nothing about data or jobs."""

SESSION_ROUTES = frozenset({"/sign-in", "/sign-out"})
"""What begins and ends a session: open to anybody's GET and, from a page of our own, POST."""

PUBLIC_ROUTES = re.compile(
    r"/|/(explore|places|rug|dataset|endpoints)(/.*)?"
    r"|/docs(/<asset>)?|/openapi\.json|/oembed|/api(/v1)?"
    r"|/api/v1/dataset(/table\.<extension>)?|/api/v1/datasets(/<dataset>(/table\.<extension>)?)?"
    r"|/api/v1/(datasets/<dataset>/)?(answers/.+|statistics|questions|locations|categories)"
)
"""What anybody may GET beside, with ``public_read``: data and answers. Whatever isn't listed takes a key."""

ADMIN_ROUTES = frozenset({"/api/graceful_shutdown", "/api/v1/datasets/<dataset>/reload"})
"""What takes an admin, whatever the method. Elsewhere looking takes ``read``, everything else ``submit``."""

NETWORK_BITS = 64
"""The part of an IPv6 address that counts: one client often has all the addresses behind it."""

BEARER = WWWAuthenticate("bearer", {"realm": "Meantime"})
_READING = frozenset({"GET", "HEAD"})
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([A-Za-z0-9._~+/=-]{1,200})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    ``name`` is the access key's, empty without one; ``owner`` is whom its new jobs belong to.
    """

    name: str
    role: Role
    owner: str

    @property
    def sees_jobs_of(self) -> str | None:
        """Whose jobs it may see and cancel; None for everybody's."""
        return None if self.role is Role.ADMIN else self.owner


ANYBODY = Caller("", Role.ADMIN, "")
"""The one caller of a server without access keys."""

VISITOR = Caller("", Role.READ, "(visitor)")
"""Who has no key where keys are in use. No job is its own: no key's owner can be called that."""


def caller() -> Caller:
    """Return who sent the current request."""
    found: Caller = request.environ.get(CALLER_KEY, ANYBODY)
    return found


def client_of(environ: WSGIEnvironment) -> str:
    """Return what a request is counted by: its access key's name, or else its address."""
    name = environ.get(CALLER_KEY, ANYBODY).name
    return f"key {name}" if name else f"address {network_of(environ.get('REMOTE_ADDR', ''))}"


def is_owner(environ: WSGIEnvironment) -> bool:
    """Return whether a request comes from this machine and takes no key: from somebody who may do everything here."""
    return environ.get(CALLER_KEY, ANYBODY) is ANYBODY and is_loopback(environ.get("REMOTE_ADDR", ""))


def has_session(environ: WSGIEnvironment) -> bool:
    """Return whether a request's key is that of its session: a browser sends the cookie whoever makes it ask."""
    return _SESSION in environ


def account() -> str | None:
    """Return the name that the current request is signed in by, or nothing; None where there is no signing in."""
    if CALLER_KEY not in request.environ:
        return None
    return caller().name if has_session(request.environ) else ""


def network_of(address: str) -> str:
    """Return what stands for a client's address.

    >>> network_of("192.0.2.7"), network_of("2001:db8::1:2:3:4")
    ('192.0.2.7', '2001:db8::/64')
    """
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(peer, ipaddress.IPv4Address) or peer.ipv4_mapped:
        return str(getattr(peer, "ipv4_mapped", None) or peer)
    return str(ipaddress.ip_network((peer, NETWORK_BITS), strict=False))


def is_still_known(environ: WSGIEnvironment) -> bool:
    """Return whether a caller may still be answered: an answer that takes its time outlives a key that is revoked.

    Keys that can't be read any more are known to nobody.
    """
    try:
        return bool(environ[_STILL_KNOWN]()) if _STILL_KNOWN in environ else True
    except AccessKeyError:
        return False


def check_still_known(environ: WSGIEnvironment) -> None:
    """Raise Unauthorized when the caller's key was revoked, or changed, since the request came in."""
    if not is_still_known(environ):
        raise Unauthorized(
            "the access key was revoked or changed meanwhile, or its session has ended", www_authenticate=BEARER
        )


def required_role(method: str, rule: str | None, *, public_read: bool = False) -> Role | None:
    """Return the role that a request takes, or None when anybody may.

    Parameters
    ----------
    method
        The HTTP method.
    rule
        The route's rule, such as ``/api/get_results/<job_id>``; None where there is no route.
    public_read
        Whether data and answers are for everybody.

    Examples
    --------
    >>> required_role("GET", "/healthz"), required_role("POST", "/api/best5")
    (None, <Role.SUBMIT: 'submit'>)
    """
    if method == "OPTIONS":  # says which methods there are; a browser asks it without a key
        return None
    if rule in ADMIN_ROUTES:
        return Role.ADMIN
    if rule in SESSION_ROUTES:
        return None
    if method not in _READING:
        return Role.SUBMIT
    is_public = public_read and rule is not None and PUBLIC_ROUTES.fullmatch(rule) is not None
    return None if rule in OPEN_ROUTES or is_public else Role.READ


class CallerCheck:
    """Finds out who asks: by the access key in the header, else by the session in the cookie.

    Parameters
    ----------
    sessions
        The sessions, and the keys; both may change while the server runs.
    public_read
        Whether data and answers are for everybody.
    """

    def __init__(self, sessions: Sessions, *, public_read: bool = False) -> None:
        self._sessions = sessions
        self._keys = sessions.keys
        self._public_read = public_read

    def __call__(self, environ: WSGIEnvironment, rule: str | None) -> None:
        """Leave the caller in the environment, where ``caller`` finds it.

        Raises
        ------
        Unauthorized
            The request takes a key and has none that is known.
        Forbidden
            The key's role doesn't allow it.
        AccessKeyError
            The request takes a key, and the keys can't be read.
        """
        environ[CALLER_KEY] = VISITOR
        needed = required_role(environ["REQUEST_METHOD"], rule, public_read=self._public_read)
        if rule in _UNASKED_ROUTES and needed is None:
            return
        try:
            key = self._key_of(environ)
        except AccessKeyError:
            if needed is not None:
                raise
            return
        if key is not None:
            environ[CALLER_KEY] = Caller(key.name, key.role, key.owner)
        if needed is None:
            return
        if key is None:
            raise Unauthorized(
                "this takes an access key, sent as 'Authorization: Bearer KEY'; whoever runs the server can make one. "
                f"A browser signs in at {environ.get('SCRIPT_NAME', '')}/sign-in",
                www_authenticate=BEARER,
            )
        if not key.role.includes(needed):
            raise Forbidden(f"this takes a key with the role {needed}, and yours has the role {key.role}")

    def _key_of(self, environ: WSGIEnvironment) -> AccessKey | None:
        """Return the key that a request came with, and leave what tells whether it is still one."""
        found = _BEARER.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        if found is not None:
            key = self._keys.find(found[1])
            environ[_STILL_KNOWN] = lambda: self._keys.find(found[1]) == key
            return key
        for session_id in session_ids(environ):
            key = self._sessions.find(session_id)
            if key is not None:
                environ[_SESSION] = True
                environ[_STILL_KNOWN] = partial(self._is_key_of, key, session_id)
                return key
        return None

    def _is_key_of(self, key: AccessKey, session_id: str) -> bool:
        return self._sessions.find(session_id) == key
