"""Parts of an answer: one range of bytes, as programs that read single columns of a file ask for (RFC 9110, 14)."""

from __future__ import annotations

import re

from flask import Response, request

_ONE_RANGE = re.compile(r"bytes=([0-9]+-[0-9]*|-[0-9]+)", re.ASCII)


def offer_ranges(response: Response, size_bytes: int) -> None:
    """Send the part of an answer that the client asks for, if it asks for one; the answer has a strong tag.

    A part of another version than the client has (``If-Range``), several ranges at once and other units are answered
    with the whole, as the RFC lets a server do.

    Raises
    ------
    RequestedRangeNotSatisfiable
        The range begins behind the end.
    """
    response.headers["Accept-Ranges"] = "bytes"
    wanted = _ONE_RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    environ = (
        request.environ if wanted else {key: value for key, value in request.environ.items() if key != "HTTP_RANGE"}
    )
    response.make_conditional(environ, accept_ranges=True, complete_length=size_bytes)
