"""What a v1 request says beside its body: query parameters, ``Prefer`` and ``Idempotency-Key``, strictly read."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, TypeVar

from werkzeug.datastructures import Headers, MultiDict

from meantime.errors import FieldError, InvalidParameterError
from meantime.fields.fields import read_query_fields
from meantime.fields.kinds import JsonSchema, Kind, Refer, Text

WAIT_LIMIT_S = 60
"""The longest wait that ``Prefer`` can ask for; a longer one is shortened to it."""

IDEMPOTENCY_KEY_LIMIT = 255

_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)
_VISIBLE = re.compile(r"[!-~]{1,255}", re.ASCII)
_WHOLE = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


Q = TypeVar("Q")


@dataclass(frozen=True, slots=True)
class NoQuery:
    """The query parameters of a resource that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionQuery:
    """Which version of a dataset is meant."""

    version: Annotated[
        str | None,
        Text("a dataset's version, 64 hexadecimal digits"),
        "The dataset's version, by its checksum: the answer is then the same for ever. Without it the current one.",
    ] = None


def read_query(sent: MultiDict[str, str], query: type[Q], *, only: Collection[str] | None = None) -> Q:
    """Return the query parameters of a request.

    Parameters
    ----------
    sent
        The query string.
    query
        A dataclass whose fields are the parameters.
    only
        Names to look at, where others belong to somebody else; None for all.

    Raises
    ------
    InvalidParameterError
        A parameter is unknown, sent twice, or has a value that isn't accepted.
    """
    given = {name: texts for name, texts in sent.lists() if only is None or name in only}
    try:
        return query(**read_query_fields(query, given, what="query parameter of this resource"))
    except FieldError as error:
        raise InvalidParameterError.of(error) from None


class Cursor(Kind[int]):
    """An opaque text for a place in a list; canonical: the number of the job before it."""

    expected = "a cursor; a page's `next` has it"

    def check(self, value: object, context: object = None) -> int:
        """Return the number."""
        if isinstance(value, int):
            return value
        text = value if isinstance(value, str) else ""
        try:
            content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
        except ValueError:
            raise self.refusal(value) from None
        word, _, number = content.partition(" ")
        if word != "before" or _WHOLE.fullmatch(number) is None or write_cursor(int(number)) != text:
            raise self.refusal(value)
        return int(number)

    def json_schema(self, refer: Refer | None = None) -> JsonSchema:
        """Return the schema of a string."""
        return {"type": "string", "minLength": 1}


def write_cursor(number: int) -> str:
    """Return an opaque text for the place in a list after a job.

    >>> Cursor().check(write_cursor(42))
    42
    """
    return base64.urlsafe_b64encode(f"before {number}".encode("ascii")).decode("ascii").rstrip("=")


def preferred_wait_s(headers: Headers) -> int | None:
    """Return how many seconds a client would wait for the end of a job (RFC 7240), at most WAIT_LIMIT_S.

    A preference that can't be understood is none, as the RFC has it.

    >>> preferred_wait_s(Headers({"Prefer": "respond-async, wait=5"}))
    5
    >>> preferred_wait_s(Headers({"Prefer": "wait=soon"}))
    """
    for preference in headers.get("Prefer", "").split(","):
        found = _WAIT.fullmatch(preference.partition(";")[0].strip())
        if found is not None:
            return min(int(found[1]), WAIT_LIMIT_S)
    return None


def idempotency_key(headers: Headers) -> str | None:
    """Return the ``Idempotency-Key`` of a request, if it has one.

    Raises
    ------
    InvalidParameterError
        It is too long or has other characters than visible ASCII.
    """
    key = headers.get("Idempotency-Key")
    if key is not None and _VISIBLE.fullmatch(key) is None:
        raise InvalidParameterError(
            f"Idempotency-Key: give 1 to {IDEMPOTENCY_KEY_LIMIT} visible ASCII characters", field="Idempotency-Key"
        )
    return key
