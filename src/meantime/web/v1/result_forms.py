"""A result as an answer: in the form that is wanted, tagged, or "you have it". Which result it is, others know."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask import Response, request
from werkzeug.exceptions import NotAcceptable, NotFound

from meantime.formats.csv_file import years_text
from meantime.formats.result_formats import Format
from meantime.web.admission.request_places import request_places
from meantime.web.negotiation import preferred_type
from meantime.web.ranges import offer_ranges
from meantime.web.v1.encoded_forms import EncodedForms

NAME_PART_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result that is there: the checksum and the size of its JSON, what reads it, and what a file of it is called."""

    sha256: str
    size_bytes: int
    read: Callable[[], bytes]
    file_name: str


class ResultForms:
    """Answers with results, in any form."""

    def __init__(self, encoded: EncodedForms) -> None:
        self._encoded = encoded

    def respond(self, wanted: Format, result: StoredResult) -> Response:
        """Return a result in a form, or say that the client has it already."""
        response = Response(content_type=content_type(wanted))
        etag = result.sha256 if wanted.encode is None else f"{result.sha256}-{wanted.name}"
        response.set_etag(etag)
        if request.if_none_match.contains_weak(etag):  # RFC 9110, section 13.1.2
            response.status_code = 304
        else:
            content = self._content(wanted, result, etag)
            if content is None:
                response.automatically_set_content_length = False
            else:
                response.set_data(content)
                offer_ranges(response, len(content))
            if wanted.is_file:
                response.headers["Content-Disposition"] = f'attachment; filename="{result.file_name}.{wanted.name}"'
        return response

    def _content(self, wanted: Format, result: StoredResult, tag: str) -> bytes | None:
        """Return the body; None for a HEAD that would have to make it, whose client doesn't want it."""
        if request.method == "HEAD" and wanted.encode is not None:
            return self._encoded.find(tag)
        if wanted.encode is None:
            request_places().hold_answer(result.size_bytes)
            return result.read()
        return self._encoded.of(tag, wanted, result.size_bytes, result.read)


def chosen_format(extension: str | None, offered: Sequence[Format]) -> Format:
    """Return the form of an extension, or else the one that the client of the current request likes best.

    Raises
    ------
    NotFound
        The result doesn't come in the form of the extension.
    NotAcceptable
        The client accepts none of them.
    """
    if extension is None:
        return choose_format(request.headers.get("Accept"), offered)
    for each in offered:
        if each.name == extension:
            return each
    raise NotFound


def choose_format(accept: str | None, offered: Sequence[Format]) -> Format:
    """Return the form that a client likes best by its Accept header; the first without one.

    Raises
    ------
    NotAcceptable
        The client accepts none of them.
    """
    found = preferred_type(accept, [content_type(each) for each in offered])
    for each in offered:
        if content_type(each) == found:
            return each
    names = ", ".join(f"{each.media_type} (.{each.name})" for each in offered)
    raise NotAcceptable(f"this result comes as {names}")


def file_name(statistic: str, parameters: Mapping[str, object], *more: str) -> str:
    """Return what a file of a result is called, in plain ASCII: statistic, question, years, and whatever else."""
    years = parameters.get("years")
    parts = (statistic, parameters.get("question"), years_text(years) if isinstance(years, list) else None)
    words = [re.sub(r"[^a-z0-9_]+", "-", str(part).lower())[:NAME_PART_CHARACTERS].strip("-") for part in parts if part]
    return "_".join([*filter(None, words), *more])


def content_type(wanted: Format) -> str:
    """Return the Content-Type of a form."""
    return wanted.media_type + {"csv": "; charset=utf-8; header=present", "html": "; charset=utf-8"}.get(
        wanted.name, ""
    )
