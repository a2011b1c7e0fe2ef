"""Answers in JSON: of values, and of bytes that are known and handed to the server in one piece.

Flask's own response goes out as an iterator, which the server asks for each piece, with a turn of the interpreter lock
every time. The two answers that clients ask for most are a WireResponse instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson
from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

JSON_TYPE = "application/json"

RETRY_AFTER_S = "1"
"""How soon to ask again about a job that hasn't ended."""


def json_response(content: object) -> Response:
    """Return JSON-able values as an answer."""
    return Response(orjson.dumps(content), content_type=JSON_TYPE)


class WireResponse(Response):
    """An answer of whole bytes; its headers are ASCII.

    Parameters
    ----------
    content
        The body.
    status
        The HTTP status.
    headers
        Further headers.
    content_type
        The media type.
    """

    def __init__(
        self,
        content: bytes,
        status: int = 200,
        headers: Sequence[tuple[str, str]] = (),
        content_type: str = JSON_TYPE,
    ) -> None:
        super().__init__(content, status, headers, content_type=content_type)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Answer with status, headers and the whole body; without the body to HEAD."""
        start_response(self.status, self.headers.to_wsgi_list())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.get_data()]
