"""A dataset's table as a file, of which any part can be had: Polars and DuckDB read single columns over HTTP."""

from __future__ import annotations

from flask import Response, request
from werkzeug.exceptions import NotFound
from werkzeug.wsgi import FileWrapper

from meantime.formats.result_formats import FORMATS
from meantime.formats.table_files import TableFiles, TableKind
from meantime.service import MeantimeService
from meantime.web.admission.callers import client_of
from meantime.web.admission.request_places import LARGE_ANSWER_BYTES, PIECE_BYTES, request_places
from meantime.web.operations import Reply, operation
from meantime.web.places import AllPlaces
from meantime.web.ranges import offer_ranges
from meantime.web.v1.caching import cache_control
from meantime.web.v1.request_fields import VersionQuery, read_query

_TYPES = tuple(FORMATS[kind].media_type for kind in TableKind)
_HEADERS = ("ETag", "Accept-Ranges", "Cache-Control", "Content-Disposition")


class TableResources:
    """The view of tables.

    Parameters
    ----------
    service
        Has the datasets.
    files
        Has their files.
    places
        What clients can hold; each file that is made holds a child process.
    """

    def __init__(self, service: MeantimeService, files: TableFiles, places: AllPlaces) -> None:
        self._service = service
        self._files = files
        self._places = places

    @operation(
        "GET",
        "/api/v1/dataset/table.{extension}",
        tag="dataset",
        replies={
            200: Reply("The table, one row for each cell.", None, _TYPES, _HEADERS),
            206: Reply("The part that Range asks for.", None, _TYPES, (*_HEADERS, "Content-Range")),
            304: Reply("What you have is what there is."),
        },
        problems=(404, 410, 414, 416, 422),
        query=VersionQuery,
        extensions=tuple(TableKind),
        per_dataset=True,
    )
    def show_table(self, extension: str, dataset: str | None = None) -> Response:
        """Get the dataset's table as a CSV or Parquet file, or any part of it."""
        if extension not in set(TableKind):
            raise NotFound
        kind, version = TableKind(extension), read_query(request.args, VersionQuery).version
        served = self._service.dataset(dataset, version)
        path = self._files.find(served, kind)
        if path is None:
            with self._places.children.take(client_of(request.environ)):
                path = self._files.of(served, kind)
        request_places().hold_answer(LARGE_ANSWER_BYTES)  # it is sent piece by piece and never held whole
        opened = path.open("rb")
        size_bytes = path.stat().st_size
        response = Response(FileWrapper(opened, PIECE_BYTES), direct_passthrough=True)
        response.content_type = FORMATS[kind].media_type + ("; charset=utf-8; header=present" if kind == "csv" else "")
        response.content_length = size_bytes
        response.set_etag(f"{served.version}-table.{kind}")
        response.headers["Cache-Control"] = cache_control(is_frozen=version is not None)
        response.headers["Content-Disposition"] = f'attachment; filename="{served.name}_{served.version[:8]}.{kind}"'
        try:
            offer_ranges(response, size_bytes)
        except BaseException:
            opened.close()
            raise
        return response
