"""How the reader of an answer reached this server, address and access key, for commands that are shown to be pasted."""

from __future__ import annotations

import shlex

from flask import request

from meantime.web.admission.callers import caller

KEY_VARIABLE = "ACCESS_KEY"
"""The environment variable from which commands take an access key. A key itself is never sent back."""

KEY_FOR_CURL = f'-H "Authorization: Bearer ${{{KEY_VARIABLE}:?put your access key into it}}"'


def own_address() -> str:
    """Return the scheme and the host that the current request was sent to.

    The host is the request's own, which has been checked. Of what a proxy says only ``X-Forwarded-Proto: https`` is
    taken, and only here: it changes nothing but the text that is sent back to whoever sent it.
    """
    scheme = "https" if request.headers.get("X-Forwarded-Proto") == "https" else request.scheme
    return f"{scheme}://{request.host}"


def curl(path: str) -> str:
    """Return how a command begins that asks this server for a path: with a key, where the current request has one."""
    key = f"{KEY_FOR_CURL} " if caller().name else ""
    return f"curl {key}{shlex.quote(f'{own_address()}{path}')}"
