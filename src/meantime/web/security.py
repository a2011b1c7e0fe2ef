"""Who may ask for what: the Host header, requests that other sites' pages make, and who may end the server."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from werkzeug.exceptions import BadRequest, Forbidden, MethodNotAllowed

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from meantime.settings import Settings

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?", re.ASCII)
_OWN_SITES = ("same-origin", "none")


class HostCheck:
    """Refuses requests that were sent to another name, which is how DNS rebinding reaches a server on loopback.

    A server that others can reach accepts any name, since it can't know its own.
    """

    def __init__(self, settings: Settings) -> None:
        own = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._names = LOOPBACK_NAMES | {own} if settings.is_loopback else None
        self._usual = frozenset(f"{name}:{settings.port}" for name in self._names or ())

    def __call__(self, environ: WSGIEnvironment) -> None:
        """Return, or raise BadRequest when there is not exactly one Host header with an accepted name."""
        host: str = environ.get("HTTP_HOST", "")
        if host in self._usual:
            return
        if host_name(host) is None:  # granian joins two headers with a comma
            raise BadRequest("send exactly one Host header, with a name and at most a port")
        if self._names is not None and host_name(host) not in self._names:
            raise BadRequest("this server does not answer to that Host; use localhost or 127.0.0.1")


def host_name(host: str) -> str | None:
    """Return the name in a Host header, lower case and without the port; None when it isn't one.

    >>> host_name("LocalHost:5000"), host_name("a,b")
    ('localhost', None)
    """
    found = _HOST.fullmatch(host)
    return found[1].lower() if found else None


def check_same_origin(environ: WSGIEnvironment) -> None:
    """Raise Forbidden when a browser says that the request comes from another site's page.

    Browsers always send ``Sec-Fetch-Site`` or ``Origin`` with such a request, other clients send neither.
    """
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in _OWN_SITES:
        raise Forbidden("a page of another site may not ask for this")
    if "HTTP_ORIGIN" in environ and environ["HTTP_ORIGIN"].partition("://")[2] != environ.get("HTTP_HOST"):
        raise Forbidden("a page of another origin may not ask for this")


def check_may_shut_down(environ: WSGIEnvironment) -> None:
    """Raise unless a request may end the server: from this machine, to a loopback name, by no foreign page.

    Raises
    ------
    MethodNotAllowed
        The method is HEAD, which links and prefetches use.
    Forbidden
        The rule forbids it.
    """
    if environ["REQUEST_METHOD"] == "HEAD":
        raise MethodNotAllowed(valid_methods=["GET", "POST"])
    if not _is_loopback(environ.get("REMOTE_ADDR", "")):
        raise Forbidden("only a client on the server's own machine may end it")
    if host_name(environ.get("HTTP_HOST", "")) not in LOOPBACK_NAMES:
        raise Forbidden("only a request to localhost may end the server")
    check_same_origin(environ)


def _is_loopback(address: str) -> bool:
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
    return (mapped or peer).is_loopback
