"""The strict decoder against Python's own: what it reads it reads alike, and it never ends in anything but an error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.errors import MalformedRequestError
from meantime.web.admission.request_body import MAXIMUM_DEPTH, decode_object

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**16), 10**16)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def depth_of(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((depth_of(each) for each in inner), default=0)


@given(st.dictionaries(TEXT, VALUES, max_size=5), st.booleans(), st.sampled_from([None, 1]))
def test_every_object_is_read_as_it_was_written(value: dict[str, object], ascii_only: bool, indent: int | None) -> None:
    content = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    if depth_of(value) <= MAXIMUM_DEPTH:
        assert decode_object(content) == value
    else:
        with pytest.raises(MalformedRequestError, match="too deep"):
            decode_object(content)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_bytes_of_any_kind_are_an_object_or_a_malformed_request(content: bytes) -> None:
    try:
        value = decode_object(content)
    except MalformedRequestError:
        return
    assert value == json.loads(content)


@given(st.text('[]{}"\\,:1a \n', max_size=120))
def test_brackets_and_quotes_in_any_order_are_an_object_or_a_malformed_request(text: str) -> None:
    try:
        value = decode_object(text.encode())
    except MalformedRequestError:
        return
    assert value == json.loads(text)
    assert depth_of(value) <= MAXIMUM_DEPTH


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 65_536,
        b'{"a":' * 13_000,
        b'{"a":[' * 10_000,
        b'{"' + b'\\"' * 32_000,
        b'"\\"' * 21_000,
        b"[" * 17 + b'"\\' * 30_000,
        b'{"a":' + b"9" * 65_000 + b"}",
        b'{"a":"' + b"\\u0041" * 10_000,
        b" " * 65_536,
        b'{"a":[' + b'"",' * 21_000 + b"NaN]}",
    ],
)
def test_traps_for_a_recursive_or_backtracking_reader_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        decode_object(content)


@pytest.mark.parametrize("depth", [1, 2, MAXIMUM_DEPTH - 1, MAXIMUM_DEPTH, MAXIMUM_DEPTH + 1, 40])
def test_brackets_in_a_text_are_no_depth(depth: int) -> None:
    text = '[{"\\"' * 30
    nested: object = text
    for _ in range(depth - 1):
        nested = [nested]
    content = json.dumps({text: nested}).encode()
    if depth <= MAXIMUM_DEPTH:
        assert decode_object(content) == {text: nested}
    else:
        with pytest.raises(MalformedRequestError, match="too deep"):
            decode_object(content)


def test_a_whole_pair_of_surrogates_is_one_character() -> None:
    assert decode_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_the_place_of_a_mistake_is_named_but_not_what_was_written_there() -> None:
    with pytest.raises(MalformedRequestError, match="at character 12") as refused:
        decode_object(b'{"question":secret}')
    assert "secret" not in str(refused.value)
