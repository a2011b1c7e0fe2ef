"""Who asks, and whether they may: from an access key to a Caller, and the ONE table of roles that routes need.

Without access keys everybody who reaches the server is the same caller and may do everything that ``security.py``
admits. Whether a job is the caller's is checked by the service.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import request
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from meantime.access_keys import Role

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from meantime.access_keys import AccessKeyFile

CALLER_KEY = "meantime.caller"
"""Where the caller of a request is left in its environment, once it is known."""

OPEN_ROUTES = frozenset({"/healthz", "/readyz", "/problems", "/static/<path:filename>"})
"""What anybody may GET: it tells nothing about data or jobs."""

ADMIN_ROUTES = frozenset({"/api/graceful_shutdown", "/api/v1/datasets/<dataset>/reload"})
"""What takes an admin, whatever the method. Elsewhere looking takes ``read``, everything else ``submit``."""

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
