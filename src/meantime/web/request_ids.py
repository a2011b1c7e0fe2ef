"""The id of each request, which its answer, its log lines and its job carry."""

from __future__ import annotations

import itertools
import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

REQUEST_ID_HEADER = "X-Request-ID"

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class RequestIds:
    """Gives each request an id: the one that a proxy or client has given it, else one that is used once."""

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(4)
        self._counter = itertools.count(1)  # next() is atomic

    def of(self, environ: WSGIEnvironment) -> str:
        """Return the id of a request."""
        given: str = environ.get("HTTP_X_REQUEST_ID", "")
        if given and _GIVEN_ID.fullmatch(given):
            return given
        return f"{self._prefix}-{next(self._counter)}"
