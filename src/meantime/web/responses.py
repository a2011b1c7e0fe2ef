"""Answers in JSON: of values, and of bytes that are known and handed to the server in one piece.

Flask's own response goes out as an iterator, which the server asks for each piece, with a turn of the interpreter lock
every time. The two answers that clients ask for most are a WireResponse instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

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

    It becomes a whole response of Flask's only if somebody asks it for more than to be sent, such as the extension that
    adds headers for other sites: making one takes a tenth of answering ``get_results``.

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

    _content: bytes
    _given: tuple[int, Sequence[tuple[str, str]], str]
    _is_whole: bool

    def __init__(  # its parent's is called by _become_whole
        self,
        content: bytes,
        status: int = 200,
        headers: Sequence[tuple[str, str]] = (),
        content_type: str = JSON_TYPE,
    ) -> None:
        self.__dict__.update(_content=content, _given=(status, headers, content_type), _is_whole=False)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # an attribute that only a whole response has
        if self._is_whole:
            raise AttributeError(name)
        self._become_whole()
        return getattr(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        self._become_whole()
        super().__setattr__(name, value)

    def _become_whole(self) -> None:
        if not self._is_whole:
            self.__dict__["_is_whole"] = True
            status, headers, content_type = self._given
            super().__init__(self._content, status, headers, content_type=content_type)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Answer with status, headers and the whole body; without the body to HEAD."""
        content = self._content
        if self._is_whole:
            content = self.get_data()
            start_response(self.status, self.headers.to_wsgi_list())
        else:
            status, headers, content_type = self._given
            length = str(len(content))
            described = [("Content-Type", content_type), ("Content-Length", length), *headers]
            start_response(_STATUS_LINES[status], described)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]


_STATUS_LINES = {status.value: f"{status.value} {status.phrase.upper()}" for status in HTTPStatus}
