"""What all pages share: the frame with its navigation, the content policy, and who gets a page rather than JSON."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from urllib.parse import quote

from flask import Response, render_template, request

from meantime import __version__
from meantime.web.admission.callers import account
from meantime.web.negotiation import preferred_type
from meantime.web.own_address import own_prefix

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

NAVIGATION = {
    "Overview": "/",
    "Explore": "/explore",
    "Places": "/places",
    "Rug": "/rug",
    "Jobs": "/jobs",
    "Dataset": "/dataset",
    "API": "/endpoints",
    "Health": "/health",
}
"""The pages by their names, in the order in which the frame lists them."""


def wants_page() -> bool:
    """Whether the client is a browser: it names HTML and not JSON before it."""
    return preferred_type(request.headers.get("Accept"), ["application/json", "text/html"]) == "text/html"


@cache
def pictures_available() -> bool:
    """Whether what draws charts as pictures is installed."""
    return find_spec("vl_convert") is not None


def here() -> str:
    """Return the path and the query that the current request was sent to, below the prefix."""
    query = request.query_string.decode("latin-1")
    return quote(f"{own_prefix()}{request.path}") + (f"?{query}" if query else "")


def page(template: str, *, current: str = "", **values: object) -> Response:
    """Return a page in the site's frame.

    Parameters
    ----------
    template
        The template's file name; it extends ``page.html``.
    current
        The name in ``NAVIGATION`` of what is shown; empty for a page that isn't there.
    values
        What the template is filled with. ``prefix`` is the path below which the server is mounted.
    """
    content = render_template(
        template,
        version=__version__,
        navigation=NAVIGATION,
        current=current,
        prefix=own_prefix(),
        account=account(),
        here=here(),
        **values,
    )
    response = Response(content, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["Referrer-Policy"] = "same-origin"  # else a browser sends a form of ours with "Origin: null"
    response.headers["Vary"] = "Accept"
    return response
