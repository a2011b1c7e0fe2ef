"""What is refused, whoever asks: foreign Host names, other sites' pages but those allowed, unclear framing, long URLs.

Who asks, and what their role allows, is in ``callers.py``; how often, in ``rate_limit.py``; the body in
``request_body.py``. Requests that could not even be parsed never get here: granian answers them itself.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from typing import TYPE_CHECKING

from flask import request
from werkzeug.exceptions import BadRequest, Forbidden, MethodNotAllowed, NotFound, RequestURITooLarge

if TYPE_CHECKING:
    from collections.abc import Collection

    from _typeshed.wsgi import WSGIEnvironment
    from flask import Flask, Response

    from meantime.settings import Settings


LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

NEVER_FOREIGN_ROUTES = frozenset({"/api/graceful_shutdown"})
"""What no page of another site may ask for, whichever sites are allowed."""

URL_LIMIT = 4096
"""How many characters a path and its query may have together, decoded."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?", re.ASCII)
_ORIGIN = re.compile(rf"https?://{_HOST.pattern}", re.ASCII)
_OWN_SITES = ("same-origin", "none")

# For the pages of allowed origins.
_METHODS = "GET, POST, DELETE"
_REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer"
_RESPONSE_HEADERS = "ETag, Link, Location, Preference-Applied, Retry-After"
_PREFLIGHT_S = "600"


class HostCheck:
    """Refuses requests that were sent to another name, which is how DNS rebinding reaches a server behind a browser.

    Accepted are the loopback names, the address that is bound to, and ``allowed_hosts``. A server that others can reach
    also accepts any IP address: it can't know its own, and rebinding needs a name.
    """

    def __init__(self, settings: Settings) -> None:
        own = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._names = LOOPBACK_NAMES | {own, *settings.allowed_hosts}
        self._usual = frozenset(f"{name}:{settings.port}" for name in self._names)
        self._accepts_addresses = not settings.is_loopback

    def __call__(self, environ: WSGIEnvironment) -> None:
        """Return, or raise BadRequest when there is not exactly one Host header with an accepted name."""
        host: str = environ.get("HTTP_HOST", "")
        if host in self._usual:
            return
        name = host_name(host)
        if name is None:  # granian joins two headers with a comma
            raise BadRequest("send exactly one Host header, with a name and at most a port")
        if name not in self._names and not (self._accepts_addresses and _is_address(name)):
            raise BadRequest(
                "this server does not answer to that Host; use its address, or have it started with --allowed-hosts"
            )


def host_name(host: str) -> str | None:
    """Return the name in a Host header, lower case and without the port; None when it isn't one.

    >>> host_name("LocalHost:5000"), host_name("a,b")
    ('localhost', None)
    """
    found = _HOST.fullmatch(host)
    return found[1].lower() if found else None


def check_url_and_framing(environ: WSGIEnvironment) -> None:
    """Raise when the URL is too long or begins with two slashes, or when the body's length could be two things.

    Flask takes ``//metrics`` for ``/metrics``, and a proxy that closes the one doesn't know of the other.

    A ``Content-Length`` beside ``Transfer-Encoding`` never gets here: granian goes by the chunks alone and closes the
    connection after the answer (RFC 9112, section 6.3), and it refuses different ``Content-Length`` values itself.
    """
    if len(environ["PATH_INFO"]) + len(environ.get("QUERY_STRING", "")) > URL_LIMIT:
        raise RequestURITooLarge(f"the URL is too long; {URL_LIMIT} characters are accepted")
    if environ["PATH_INFO"].startswith("//"):
        raise NotFound
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
        raise UnclearFramingError("send the body with a Content-Length, or with 'Transfer-Encoding: chunked' alone")


class UnclearFramingError(BadRequest):
    """Nobody can be sure where the request ends, so its connection is closed."""

    def get_headers(self, *_: object, **__: object) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        return [("Connection", "close")]


def check_same_origin(environ: WSGIEnvironment, route: str | None, allowed_origins: Collection[str]) -> None:
    """Raise Forbidden when a browser says that the request comes from the page of a site that isn't allowed.

    Browsers always send ``Sec-Fetch-Site`` or ``Origin`` with such a request, other clients send neither.
    """
    if route in NEVER_FOREIGN_ROUTES:
        _check_whose_page(environ)
        return
    try:
        _check_whose_page(environ, allowed_origins)
    except Forbidden as error:
        origin = environ.get("HTTP_ORIGIN", "")
        wanted = origin if _ORIGIN.fullmatch(origin) else "with that site"
        first = "open it from a web server, and " if origin == "null" else ""  # of a file, or in a sandbox
        raise Forbidden(
            f"{error.description}; if it is meant to, {first}have the server started with --allowed-origins {wanted}"
        ) from None


def check_own_page(environ: WSGIEnvironment) -> None:
    """Raise Forbidden unless a browser says that the request comes from a page of this server, whoever is allowed.

    A cookie goes along by itself, so silence is no proof: for what a cookie opens, and for what makes one.
    """
    origin, site = environ.get("HTTP_ORIGIN"), environ.get("HTTP_SEC_FETCH_SITE")
    is_of_own_origin = origin is not None and origin.partition("://")[2] == environ.get("HTTP_HOST")
    if site not in (None, "same-origin") or (origin is not None and not is_of_own_origin):
        raise Forbidden("only this server's own pages may ask for this with a session")
    if origin is None and site is None:
        raise Forbidden("with a session this takes the header 'Origin', as browsers send it; programs send their key")


def _check_whose_page(environ: WSGIEnvironment, allowed_origins: Collection[str] = ()) -> None:
    if environ.get("HTTP_ORIGIN") in allowed_origins:
        return
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in _OWN_SITES:
        raise Forbidden("a page of another site may not ask for this")
    if "HTTP_ORIGIN" in environ and environ["HTTP_ORIGIN"].partition("://")[2] != environ.get("HTTP_HOST"):
        raise Forbidden("a page of another origin may not ask for this")


def allow_origins(app: Flask, settings: Settings) -> None:
    """Let browsers show the answers of an application to the pages of the sites that ``allowed_origins`` names (CORS).

    Without the setting no answer has a header of this kind. Cookies are for the server's own pages, so no credentials
    are ever allowed: another site's page sends its access key as a header.
    """
    origins = frozenset(settings.allowed_origins)

    @app.after_request
    def answer_browser(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
            if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
                response.headers["Access-Control-Allow-Methods"] = _METHODS
                response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
                response.headers["Access-Control-Max-Age"] = _PREFLIGHT_S
        return response


def check_may_shut_down(environ: WSGIEnvironment, *, is_admin: bool) -> None:
    """Raise unless a request may end the server: by no foreign page, and from this machine, to a loopback name.

    Parameters
    ----------
    environ
        The request.
    is_admin
        Whether it came with an admin's access key; then it may come from anywhere.

    Raises
    ------
    MethodNotAllowed
        The method is HEAD, which links and prefetches use.
    Forbidden
        The rule forbids it.
    """
    if environ["REQUEST_METHOD"] == "HEAD":
        raise MethodNotAllowed(valid_methods=["GET", "POST"])
    _check_whose_page(environ)  # of a GET, too
    if is_admin:
        return
    if not is_loopback(environ.get("REMOTE_ADDR", "")):
        raise Forbidden("only a client on the server's own machine may end it")
    if host_name(environ.get("HTTP_HOST", "")) not in LOOPBACK_NAMES:
        raise Forbidden("only a request to localhost may end the server")


def _is_address(name: str) -> bool:
    """Whether a Host's name is an IP address."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


@functools.lru_cache(maxsize=1024)  # asked for every request
def is_loopback(address: str) -> bool:
    """Return whether a peer's address is this machine's own.

    >>> is_loopback("127.0.0.1"), is_loopback("::ffff:127.0.0.1"), is_loopback("10.0.0.1"), is_loopback("")
    (True, True, False, False)
    """
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
    return (mapped or peer).is_loopback
