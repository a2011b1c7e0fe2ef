"""The address by which the reader of an answer reached this server: for links, and for what is shown to be pasted.

A proxy may mount the server below a path, the prefix; `middleware.py` leaves it where Flask looks for it.
"""

from __future__ import annotations

from flask import request


def own_address() -> str:
    """Return the scheme, the host and the prefix that the current request was sent to.

    The host is the request's own, which has been checked. Of what a proxy says only ``X-Forwarded-Proto: https`` is
    taken, and only here: it changes nothing but the text, or the cookie, that is sent back to whoever sent it.
    """
    return f"{'https' if is_encrypted() else 'http'}://{request.host}{own_prefix()}"


def is_encrypted() -> bool:
    """Return whether the current request came over https to the proxy in front, which says so."""
    return request.headers.get("X-Forwarded-Proto") == "https" or request.scheme == "https"


def own_prefix() -> str:
    """Return the path below which every path of the server is, such as ``/stats``; empty where it has a host alone."""
    return request.root_path


def below_prefix(text: str, prefix: str) -> str:
    """Return a sentence in which every path that one may GET is below a prefix.

    >>> below_prefix("GET / says what there is", "/stats")
    'GET /stats/ says what there is'
    """
    return text.replace("GET /", f"GET {prefix}/")


def own_site() -> str:
    """Return scheme, host and port as the current request's client reaches the server, before any path."""
    return own_address().removesuffix(own_prefix())
