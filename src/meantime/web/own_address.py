"""The address by which the reader of an answer reached this server, for what is shown to be pasted."""

from __future__ import annotations

from flask import request


def own_address() -> str:
    """Return the scheme and the host that the current request was sent to.

    The host is the request's own, which has been checked. Of what a proxy says only ``X-Forwarded-Proto: https`` is
    taken, and only here: it changes nothing but the text that is sent back to whoever sent it.
    """
    scheme = "https" if request.headers.get("X-Forwarded-Proto") == "https" else request.scheme
    return f"{scheme}://{request.host}"
