"""Random bodies against the strict decoder and the door in front of it: an object or a clear refusal, nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import hypothesis.strategies as st
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings

from meantime.bootstrap import build_service
from meantime.errors import MalformedRequestError
from meantime.settings import Settings
from meantime.web.admission.request_body import MAXIMUM_DEPTH, MAXIMUM_DIGITS, decode_object
from meantime.web.app import create_app
from tests.datasets import dataset_of
from tests.tables import OBESITY, row_of

CI_COUNT = 200
SOAK_COUNT = 10_000
LIMIT_S = 30.0

TOKENS = st.sampled_from(
    [
        *"{}[]:,\"\\ \n\t\0", "null", "true", "NaN", "Infinity", "-Infinity", "1e999", "-0", "01", "1.", "1e", "9" * 19,
        '"question"', '"qu\\u0065stion"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\x"',
        '"\u0000"', "\ufeff", "\u2028", "é", "😀", "//", "/*", "'", "{}" * 9, "[" * 17, '{"a":' * 17, '"' * 3, "\\" * 3,
    ]
)  # fmt: skip
NUMBERS = st.integers(-(10**19), 10**19) | st.floats() | st.just(10**4000)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(["question", "state", "statistic", "parameters", ""]), VALUES, max_size=4)
ENCODINGS = st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A JSON object with some bytes cut, doubled or changed, in some encoding."""
    text = json.dumps(draw(OBJECTS), ensure_ascii=draw(st.booleans()))
    content = bytearray(text.encode(draw(ENCODINGS), "surrogatepass" if text.isascii() else "replace"))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return bytes(content)


BODIES = st.binary(max_size=200) | st.lists(TOKENS, max_size=24).map(lambda parts: "".join(parts).encode()) | damaged()


def depth_of(value: object) -> int:
    """Return how deep a value is nested; a plain one not at all."""
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def is_plain(value: object) -> bool:
    """Whether a value is what every JSON reader understands alike, and can be written again."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(key) and is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return len(str(value)) <= MAXIMUM_DIGITS
    return value is None or (isinstance(value, str) and value.encode("utf-8").decode("utf-8") == value)


def decodes_or_refuses(content: bytes) -> None:
    """Check one body; anything but MalformedRequestError that is raised fails the test."""
    try:
        value = decode_object(content)
    except MalformedRequestError as error:
        refusal = str(error)
    else:
        assert_faithful(value, content)
        return
    assert refusal
    assert refusal.isprintable()


def assert_faithful(value: dict[str, object], content: bytes) -> None:
    """Check that what was decoded is plain, and what the content says."""
    assert is_plain(value)
    assert depth_of(value) <= MAXIMUM_DEPTH
    assert value == json.loads(content)
    assert decode_object(json.dumps(value).encode()) == value


@settings(max_examples=CI_COUNT)
@given(BODIES)
def test_any_bytes_are_an_object_or_a_clear_refusal(content: bytes) -> None:
    decodes_or_refuses(content)


@pytest.mark.soak
@settings(max_examples=SOAK_COUNT)
@given(BODIES)
def test_very_many_bytes_are_an_object_or_a_clear_refusal(content: bytes) -> None:
    decodes_or_refuses(content)


@settings(max_examples=CI_COUNT)
@given(OBJECTS)
def test_every_plain_object_is_read_as_it_was_meant(value: dict[str, object]) -> None:
    content = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if is_readable(value) and depth_of(value) <= MAXIMUM_DEPTH:
        assert decode_object(content) == value
    else:
        with pytest.raises(MalformedRequestError):
            decode_object(content)


def is_readable(value: object) -> bool:
    """Whether a value is plain; a lone surrogate is not."""
    try:
        return is_plain(value)
    except UnicodeEncodeError:
        return False


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of a server with a table of two rows."""
    rows = [row_of(123_456_780, OBESITY, place, 2023, ("Total", "Total")) for place in ("Ohio", "Utah")]
    dataset = dataset_of(rows, "two-rows")
    options = Settings(state_dir=tmp_path_factory.mktemp("fuzz"), threads=1, queue_capacity=100_000)
    service = build_service(options, [dataset])
    yield create_app(service, options).test_client()
    assert service.close(LIMIT_S)


PATHS = st.sampled_from(
    ["/api/states_mean", "/api/state_mean", "/api/best5", "/api/v1/jobs", "/api/graceful_shutdowns"]
)


def answers_or_refuses(client: FlaskClient, path: str, content: bytes) -> None:
    """Check the answer to one body."""
    answer = client.post(path, data=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (200, 202, 400, 404, 409, 413, 422)
    assert answer.json is not None
    assert "Traceback" not in answer.text


@settings(max_examples=CI_COUNT)
@given(path=PATHS, content=BODIES)
def test_any_body_gets_an_answer_below_500(client: FlaskClient, path: str, content: bytes) -> None:
    answers_or_refuses(client, path, content)


@pytest.mark.soak
@settings(max_examples=SOAK_COUNT)
@given(path=PATHS, content=BODIES)
def test_very_many_bodies_get_an_answer_below_500(client: FlaskClient, path: str, content: bytes) -> None:
    answers_or_refuses(client, path, content)
