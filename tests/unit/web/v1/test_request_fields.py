"""Query parameters, Prefer and Idempotency-Key: what is read, and what is refused."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers, MultiDict

from meantime.errors import FieldError, InvalidParameterError
from meantime.web.v1.job_resources import JobQuery
from meantime.web.v1.request_fields import (
    WAIT_LIMIT_S,
    Cursor,
    idempotency_key,
    preferred_wait_s,
    read_query,
    write_cursor,
)


def read(*pairs: tuple[str, str]) -> JobQuery:
    return read_query(MultiDict(pairs), JobQuery)


def test_every_parameter_of_a_list_is_read() -> None:
    found = read(
        ("state", "done"),
        ("statistic", "mean"),
        ("since", "2026-11-22T12:00:00Z"),
        ("cursor", write_cursor(7)),
        ("limit", "5"),
    )
    since = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert found == JobQuery(state="done", statistic="mean", since=since, cursor=7, limit=5)


def test_what_is_not_sent_has_its_default() -> None:
    assert read() == JobQuery(limit=100)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("state", "finished"),
        ("statistic", "average"),
        ("since", "yesterday"),
        ("since", "2026-11-22"),
        ("since", "2026-11-22T12:00:00"),
        ("cursor", "7"),
        ("cursor", ""),
        ("cursor", write_cursor(7) + "="),
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "٣"),
        ("limit", "1_0"),
        ("limits", "5"),
    ],
)
def test_a_value_that_is_not_accepted_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        read((name, text))
    assert refused.value.field == name


def test_the_nearest_names_are_suggested() -> None:
    with pytest.raises(InvalidParameterError) as refused:
        read(("state", "don"))
    assert refused.value.nearest[0] == "done"


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="twice"):
        read(("limit", "5"), ("limit", "6"))


@given(st.integers(min_value=1, max_value=10**18 - 1))
def test_a_cursor_comes_back(number: int) -> None:
    assert Cursor().check(write_cursor(number)) == number


@given(st.text(max_size=40))
def test_any_other_text_is_no_cursor(text: str) -> None:
    with contextlib.suppress(FieldError):
        assert write_cursor(Cursor().check(text)) == text


@pytest.mark.parametrize(
    ("prefer", "wait_s"),
    [
        (None, None),
        ("wait=5", 5),
        ("Wait = 5", 5),
        ('wait="5"', 5),
        ("wait=5; foo=bar", 5),
        ("respond-async, wait=10", 10),
        ("wait=0", 0),
        ("wait=99999", WAIT_LIMIT_S),
        ("wait=-1", None),
        ("wait=soon", None),
        ("respond-async", None),
        ("wait=٣", None),
    ],
)
def test_the_preferred_wait_is_read_and_what_cant_be_understood_is_ignored(
    prefer: str | None, wait_s: int | None
) -> None:
    headers = Headers() if prefer is None else Headers({"Prefer": prefer})
    assert preferred_wait_s(headers) == wait_s


@pytest.mark.parametrize("key", ["a", "8e03978e-40d5-43dd-bc93-6894a57f9324", "~" * 255])
def test_an_idempotency_key_is_visible_ascii(key: str) -> None:
    assert idempotency_key(Headers({"Idempotency-Key": key})) == key


@pytest.mark.parametrize("key", ["", "~" * 256, "a b", "ключ"])
def test_another_idempotency_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidParameterError):
        idempotency_key(Headers([("Idempotency-Key", key)]))
