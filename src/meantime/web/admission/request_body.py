"""From the bytes of a request body to a JSON object or a form, strictly. What the fields mean is not decided here.

Whatever two JSON readers might understand differently is refused: duplicate keys, NaN, numbers that overflow, lone
surrogates, other encodings than UTF-8 (Internet JSON, RFC 7493).
"""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import parse_qsl

from flask import Request, request
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.http import parse_options_header
from werkzeug.utils import cached_property

from meantime.errors import MalformedRequestError, RequestTooLargeError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAXIMUM_DEPTH = 16
"""How deep arrays and objects may be nested."""

MAXIMUM_DIGITS = 18
"""How many characters an integer may have; more would not fit into 64 bits."""

DEFAULT_LIMIT_BYTES = 65_536
"""The largest body, where the application has no limit of its own."""

_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # UTF-32's little-endian mark begins like UTF-16's

_BRACKETS = re.compile(r"[\[\]{}]")


def decode_object(content: bytes) -> dict[str, object]:
    """Decode a JSON object.

    Raises
    ------
    MalformedRequestError
        The content is not UTF-8, not JSON, nested deeper than MAXIMUM_DEPTH, no object, or ambiguous.

    Examples
    --------
    >>> decode_object(b'{"question": "Q036"}')
    {'question': 'Q036'}
    """
    if content.startswith(_OTHER_MARKS) or b"\0" in content[:4]:  # JSON begins with two characters of ASCII
        raise MalformedRequestError("the body looks like UTF-16 or UTF-32; send JSON in UTF-8")
    try:
        text = content.decode("utf-8-sig")  # a mark in front changes nothing, and some programs can't leave it out
    except UnicodeDecodeError as error:
        raise MalformedRequestError(f"the body is not UTF-8: see byte {error.start}; send JSON in UTF-8") from None
    _check_depth(text)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedRequestError(
            f"the body is not JSON: {error.msg.removesuffix(' at')}, at character {error.pos}"
        ) from None
    except RecursionError:  # out of reach behind _check_depth
        raise _too_deep() from None
    if not isinstance(value, dict):
        raise MalformedRequestError('the body is no JSON object; send one, such as {"question": "..."}')
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _check_depth(text: str) -> None:
    """Refuse deep nesting before the decoder follows it."""
    if text.count("[") + text.count("{") <= MAXIMUM_DEPTH:
        return
    # Between an even and an odd quotation mark is no string; escaped ones are taken out first.
    outside = text.replace("\\\\", "").replace('\\"', "").split('"')[::2]
    depth = 0
    for bracket in _BRACKETS.findall("".join(outside)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAXIMUM_DEPTH:
            raise _too_deep()


def _too_deep() -> MalformedRequestError:
    return MalformedRequestError(f"the body is nested too deep; {MAXIMUM_DEPTH} levels are accepted")


def _check_surrogates(value: dict[str, object]) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedRequestError("the body has half of a surrogate pair; escape whole characters") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedRequestError("the body gives a field twice; give each field once")
    return found


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise MalformedRequestError("the body has a number that is too large for a 64-bit float")
    return number


def _integer(digits: str) -> int:
    if len(digits) > MAXIMUM_DIGITS:
        raise MalformedRequestError(f"the body has an integer of more than {MAXIMUM_DIGITS} characters")
    return int(digits)


def _constant(name: str) -> NoReturn:
    raise MalformedRequestError(f"the body has {name}, which is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_int=_integer, parse_constant=_constant)


def has_body(environ: WSGIEnvironment) -> bool:
    """Whether a request carries a body, be it of length 0 in chunks."""
    return environ.get("CONTENT_LENGTH", "") not in ("", "0") or "HTTP_TRANSFER_ENCODING" in environ


def read_object(environ: WSGIEnvironment, *, limit_bytes: int) -> dict[str, object]:
    """Read the body of a request and decode it.

    Parameters
    ----------
    environ
        The WSGI environment; its body has not been read yet.
    limit_bytes
        The largest body that is accepted; nothing is read beyond.

    Raises
    ------
    UnsupportedMediaType
        The body is not declared as JSON in UTF-8, or it is compressed.
    RequestTooLargeError
        The body is larger than the limit.
    MalformedRequestError
        See ``decode_object``.
    """
    if environ.get("CONTENT_TYPE") != "application/json":
        _check_content_type(environ.get("CONTENT_TYPE") or "")
    return decode_object(_read(environ, limit_bytes))


def read_form(environ: WSGIEnvironment, *, limit_bytes: int) -> dict[str, str]:
    """Read the body of a request that a form of a page has sent; its fields are never logged or sent back.

    Raises
    ------
    UnsupportedMediaType
        The body is not declared as a form's, or it is compressed.
    RequestTooLargeError, MalformedRequestError
        It is larger than the limit, or no form that gives each field once.
    """
    if parse_options_header(environ.get("CONTENT_TYPE"))[0].lower() != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType("this takes what a form sends: 'Content-Type: application/x-www-form-urlencoded'")
    try:
        pairs = parse_qsl(
            _read(environ, limit_bytes).decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16
        )
    except ValueError:
        raise MalformedRequestError("the form can't be read; send percent-encoded UTF-8") from None
    return cast("dict[str, str]", _object(cast("list[tuple[str, object]]", pairs)))


def _check_content_type(content_type: str) -> None:
    media_type, options = parse_options_header(content_type)
    if media_type.lower() != "application/json":
        raise UnsupportedMediaType("send the body as JSON, with the header 'Content-Type: application/json'")
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("the charset is not accepted; send JSON in UTF-8")


def _read(environ: WSGIEnvironment, limit_bytes: int) -> bytes:
    if "HTTP_CONTENT_ENCODING" in environ:
        raise UnsupportedMediaType("a Content-Encoding is not accepted; send the body as it is")
    declared = environ.get("CONTENT_LENGTH") or ""
    if declared and "HTTP_TRANSFER_ENCODING" in environ:
        raise MalformedRequestError("the body has two lengths: give Content-Length or Transfer-Encoding, not both")
    if declared and not (declared.isascii() and declared.isdigit()):
        raise MalformedRequestError("Content-Length is no number")
    too_large = RequestTooLargeError(f"the body is too large; {limit_bytes} bytes are accepted")
    if declared and int(declared[:20]) > limit_bytes:
        raise too_large
    wanted = int(declared) if declared else limit_bytes + 1
    parts: list[bytes] = []
    while wanted > 0 and (part := environ["wsgi.input"].read(wanted)):
        parts.append(part)
        wanted -= len(part)
    if declared and wanted > 0:
        raise MalformedRequestError("the body ended before its Content-Length")
    if not declared and wanted == 0:
        raise too_large
    return b"".join(parts)


class StrictRequest(Request):
    """A request whose JSON is only ever read strictly; Flask's ``MAX_CONTENT_LENGTH`` is the limit."""

    @cached_property
    def json_object(self) -> dict[str, object]:
        """Read the body as a JSON object, once; raises what ``read_object`` raises."""
        return read_object(self.environ, limit_bytes=self.max_content_length or DEFAULT_LIMIT_BYTES)

    def get_json(self, *_: object, **__: object) -> Any:  # noqa: ANN401 - werkzeug's own signature
        """Return ``json_object``, so that no library that reads the body gets around the strict decoder."""
        return self.json_object


def json_object() -> dict[str, object]:
    """Return the current request's body as a JSON object; raises what ``read_object`` raises."""
    return cast("StrictRequest", request).json_object
