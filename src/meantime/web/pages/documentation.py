"""``/openapi.json``, and ``/docs``: Swagger UI from files that are installed here, without any other site."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import orjson
from flask import Flask, Response, render_template, request, send_file
from werkzeug.exceptions import NotFound

from meantime import __version__
from meantime.service import MeantimeService
from meantime.statistics.catalogue import CATALOGUE
from meantime.web.operations import Operation
from meantime.web.own_address import own_prefix

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Swagger UI sets styles on its elements; it needs no script but its own."""

ASSETS = {"swagger-ui.css": "css/swagger-ui.css", "swagger-ui-bundle.js": "js/swagger-ui-bundle.js"}


def swagger_ui_folder() -> Path:
    """Return where Swagger UI's files are. The package is not imported: it would take pydantic along."""
    spec = find_spec("flask_openapi_swagger")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("flask-openapi-swagger is not installed")
    return Path(spec.submodule_search_locations[0]) / "templates" / "swagger"


class Documentation:
    """The views of the API's own description. The document is made when it is first asked for.

    Parameters
    ----------
    service
        Knows the datasets.
    operations
        What is described.
    """

    def __init__(self, service: MeantimeService, operations: Sequence[Operation]) -> None:
        self._service = service
        self._operations = operations
        self._lock = threading.Lock()
        self._made_of: object = None  # guarded by self._lock
        self._content = b""  # guarded by self._lock

    def add_to(self, app: Flask) -> None:
        """Register the views."""
        app.add_url_rule("/openapi.json", "openapi", self.show_document)
        app.add_url_rule("/docs", "docs", self.show_page)
        app.add_url_rule("/docs/<asset>", "docs_asset", self.send_asset)

    def show_document(self) -> Response:
        """Return the OpenAPI document."""
        response = Response(self._document(), content_type="application/json")
        response.headers["Cache-Control"] = "private, no-cache"
        response.add_etag()
        response.make_conditional(request)
        return response

    def _document(self) -> bytes:
        """Return the document for what is served now."""
        from meantime.web.pages.openapi import openapi_document  # not at every start

        served = self._service.datasets()
        made_of = ([(dataset.name, dataset.version) for dataset in served], list(CATALOGUE))
        with self._lock:
            if self._made_of != made_of:
                document = openapi_document(self._operations, served, own_prefix())
                self._content, self._made_of = orjson.dumps(document), made_of
            return self._content

    def show_page(self) -> Response:
        """Return the page that shows the document and sends requests."""
        page = render_template("docs.html", version=__version__)
        response = Response(page, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = PAGE_POLICY
        return response

    def send_asset(self, asset: str) -> Response:
        """Send one of the files that the page is made of."""
        if asset not in ASSETS:
            raise NotFound
        return send_file(swagger_ui_folder() / ASSETS[asset], conditional=True)
