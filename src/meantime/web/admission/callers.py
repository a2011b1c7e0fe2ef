"""Who asks, and whether they may: from an access key to a Caller, and the ONE table of roles that routes need.

Without access keys everybody who reaches the server is the same caller and may do everything that ``security.py``
admits. Whether a job is the caller's is checked by the service.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from meantime.access_keys import Role
from meantime.errors import AccessKeyError
from meantime.web.admission.security import is_loopback

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from meantime.access_keys import AccessKeyFile

CALLER_KEY = "meantime.caller"
"""Where the caller of a request is left in its environment, once it is known."""

_STILL_KNOWN = "meantime.still_known"
"""Where a request with a key has what tells whether the key is still what it was."""

OPEN_ROUTES = frozenset({"/healthz", "/readyz", "/problems", "/static/<path:filename>"})
"""What anybody may GET: it tells nothing about data or jobs."""

ADMIN_ROUTES = frozenset({"/api/graceful_shutdown", "/api/v1/datasets/<dataset>/reload"})
"""What takes an admin, whatever the method. Elsewhere looking takes ``read``, everything else ``submit``."""

NETWORK_BITS = 64
"""The part of an IPv6 address that counts: one client often has all the addresses behind it."""

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


def caller() -> Caller:
    """Return who sent the current request."""
    found: Caller = request.environ.get(CALLER_KEY, ANYBODY)
    return found


def client_of(environ: WSGIEnvironment) -> str:
    """Return what a request is counted by: its access key's name, or else its address."""
    name = environ.get(CALLER_KEY, ANYBODY).name
    return f"key {name}" if name else f"address {network_of(environ.get('REMOTE_ADDR', ''))}"


def is_owner(environ: WSGIEnvironment) -> bool:
    """Return whether a request comes from this machine and without a key: from somebody who may do everything here."""
    return not environ.get(CALLER_KEY, ANYBODY).name and is_loopback(environ.get("REMOTE_ADDR", ""))


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
            "the access key was revoked or changed meanwhile",
            www_authenticate=WWWAuthenticate("bearer", {"realm": "Meantime"}),
        )


def required_role(method: str, rule: str | None) -> Role | None:
    """Return the role that a request takes, or None when anybody may.

    Parameters
    ----------
    method
        The HTTP method.
    rule
        The route's rule, such as ``/api/get_results/<job_id>``; None where there is no route.

    Examples
    --------
    >>> required_role("GET", "/healthz"), required_role("POST", "/api/best5")
    (None, <Role.SUBMIT: 'submit'>)
    """
    if method == "OPTIONS":  # says which methods there are; a browser asks it without a key
        return None
    if rule in ADMIN_ROUTES:
        return Role.ADMIN
    if method not in _READING:
        return Role.SUBMIT
    return None if rule in OPEN_ROUTES else Role.READ


class CallerCheck:
    """Finds out who asks, by access key.

    Parameters
    ----------
    keys
        The keys; they may change while the server runs.
    """

    def __init__(self, keys: AccessKeyFile) -> None:
        self._keys = keys

    def __call__(self, environ: WSGIEnvironment, rule: str | None) -> None:
        """Leave the caller in the environment, where ``caller`` finds it.

        Raises
        ------
        Unauthorized
            The request takes a key and has none that is known.
        Forbidden
            The key's role doesn't allow it.
        AccessKeyError
            The keys can't be read.
        """
        needed = required_role(environ["REQUEST_METHOD"], rule)
        if needed is None:
            return
        found = _BEARER.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        key = self._keys.find(found[1]) if found else None
        if key is None:
            raise Unauthorized(
                "this takes an access key, sent as 'Authorization: Bearer KEY'; whoever runs the server can make one",
                www_authenticate=WWWAuthenticate("bearer", {"realm": "Meantime"}),
            )
        if not key.role.includes(needed):
            raise Forbidden(f"this takes a key with the role {needed}, and yours has the role {key.role}")
        environ[CALLER_KEY] = Caller(key.name, key.role, key.owner)
        environ[_STILL_KNOWN] = lambda: self._keys.find(found[1]) == key if found else False
