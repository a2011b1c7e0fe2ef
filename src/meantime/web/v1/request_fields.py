"""What a v1 request says beside its body: query parameters, ``Prefer`` and ``Idempotency-Key``, strictly read."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from werkzeug.datastructures import Headers, MultiDict

from meantime.errors import InvalidParameterError
from meantime.statistics.parameters import JsonSchema
from meantime.statistics.refusals import refuse_name, shown

WAIT_LIMIT_S = 60
"""The longest wait that ``Prefer`` can ask for; a longer one is shortened to it."""

IDEMPOTENCY_KEY_LIMIT = 255

_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)
_VISIBLE = re.compile(r"[!-~]{1,255}", re.ASCII)
_WHOLE = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True)
class QueryParameter:
    """One query parameter: ``read`` returns its value from the text that was sent, or raises ValueError."""

    name: str
    summary: str
    schema: JsonSchema
    read: Callable[[str], object]
    accepted: tuple[str, ...] = ()


def read_query(sent: MultiDict[str, str], known: Sequence[QueryParameter]) -> dict[str, object]:
    """Return the query parameters that were sent, read; those that were not are absent.

    Raises
    ------
    InvalidParameterError
        A parameter is unknown, sent twice, or has a value that isn't accepted.
    """
    found: dict[str, object] = {}
    by_name = {parameter.name: parameter for parameter in known}
    for name, texts in sent.lists():
        parameter = by_name.get(name)
        if parameter is None:
            raise refuse_name(name, by_name, field=shown(name), what="query parameter of this resource")
        if len(texts) > 1:
            raise InvalidParameterError(f"{name}: is given twice; give it once", field=name)
        try:
            found[name] = parameter.read(texts[0])
        except ValueError:
            if parameter.accepted:
                raise refuse_name(texts[0], parameter.accepted, field=name, what="accepted value") from None
            raise InvalidParameterError(
                f"{name}: {shown(texts[0])} is not accepted. {parameter.summary}", field=name
            ) from None
    return found


def one_of(choices: Sequence[str]) -> Callable[[str], str]:
    """Return a reader that accepts some texts."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return read


def whole_number(maximum: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from 1 to a maximum."""

    def read(text: str) -> int:
        if _WHOLE.fullmatch(text) is None or int(text) > maximum:
            raise ValueError
        return int(text)

    return read


def read_time(text: str) -> float:
    """Return an RFC 3339 time in seconds since the epoch; ValueError when it isn't one or has no zone.

    >>> read_time("1970-01-01T01:00:00+01:00")
    0.0
    """
    time = datetime.fromisoformat(text.upper())
    if time.tzinfo is None or "T" not in text.upper():
        raise ValueError
    return time.timestamp()


def write_cursor(number: int) -> str:
    """Return an opaque text for the place in a list after a job.

    >>> read_cursor(write_cursor(42))
    42
    """
    return base64.urlsafe_b64encode(f"before {number}".encode("ascii")).decode("ascii").rstrip("=")


def read_cursor(text: str) -> int:
    """Return the number in a cursor; ValueError when it is none of ours."""
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, UnicodeError):
        raise ValueError from None
    word, _, number = content.partition(" ")
    if word != "before" or _WHOLE.fullmatch(number) is None or write_cursor(int(number)) != text:
        raise ValueError
    return int(number)


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
