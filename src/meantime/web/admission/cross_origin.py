"""CORS, for the sites that the setting ``allowed_origins`` names; without it no answer has a header of this kind.

No cookies are used, so no credentials are allowed: a page sends its access key as a header.
"""

from __future__ import annotations

from flask import Flask, Response, request

from meantime.settings import Settings

_METHODS = "GET, POST, DELETE"
_REQUEST_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Prefer"
_RESPONSE_HEADERS = "ETag, Link, Location, Preference-Applied, Retry-After"
_PREFLIGHT_S = "600"


def allow_origins(app: Flask, settings: Settings) -> None:
    """Let browsers show the answers of an application to the pages of the named sites."""
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
