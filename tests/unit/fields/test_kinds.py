"""Each kind of value: one canonical form, a JSON Schema that says the same, and a way from text."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.errors import FieldError
from meantime.fields.kinds import (
    Boolean,
    Choice,
    Kind,
    ListOf,
    Number,
    SetOf,
    Text,
    Time,
    WholeNumber,
    seconds,
)
from meantime.fields.places import NAMED_PATHS, FilePath, IpAddress, NamedPath

WORDS = ("first", "second", "third")
SMALL = WholeNumber(0, 3)
KINDS: list[Kind[object]] = [
    WholeNumber(),
    WholeNumber(1, 10),
    WholeNumber(minimum=2),
    Number(),
    Number(-1, 1),
    seconds(60),
    Boolean(),
    Text(maximum=3),
    Text("a code", "[A-Z][0-9]{3}"),
    Choice(WORDS),
    ListOf(SMALL, minimum=0, maximum=3),
    SetOf(SMALL, maximum=3),
    SetOf(Choice(WORDS), maximum=3),
    ListOf(ListOf(Boolean())),
]

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 12)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-2, 12).map(float)
    | st.sampled_from([*WORDS, "", "Q036", "q036", "First", "true", "1"])
    # Python's `$` also matches before a last newline; the `$` of JSON Schema doesn't.
    | st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=5)
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)


def name(kind: Kind[object]) -> str:
    return f"{type(kind).__name__}: {kind.expected}"


def accepted(kind: Kind[object], value: object) -> bool:
    try:
        kind.check(value)
    except FieldError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS, ids=name)
@given(value=JSON | st.lists(LEAVES, max_size=4))
def test_the_schema_accepts_exactly_what_the_check_accepts(kind: Kind[object], value: object) -> None:
    schema = kind.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema.Draft202012Validator(schema).is_valid(value) == accepted(kind, value)


@pytest.mark.parametrize(
    ("kind", "value", "canonical"),
    [
        (WholeNumber(), 5.0, 5),
        (Number(), 1, 1.0),
        (Number(), -0.0, 0.0),
        (Text(lower=True), "Example.ORG", "example.org"),
        (ListOf(SMALL), [3, 1, 3.0], (3, 1, 3)),
        (SetOf(SMALL), [3, 1, 3.0], (1, 3)),
        (SetOf(Choice(WORDS)), ["third", "first", "third"], ("first", "third")),
        (IpAddress(), "[::1]", "::1"),
        (IpAddress(), "localhost", "127.0.0.1"),
    ],
)
def test_a_value_has_one_canonical_form(kind: Kind[object], value: object, canonical: object) -> None:
    assert repr(kind.check(value)) == repr(canonical)


EXAMPLES: list[tuple[Kind[object], st.SearchStrategy[object]]] = [
    (WholeNumber(), st.integers(-(10**18) + 1, 10**18 - 1)),
    (WholeNumber(), st.integers(-1000, 1000).map(float)),
    (Number(), st.floats(allow_nan=False, allow_infinity=False)),
    (Boolean(), st.booleans()),
    (Text("a word", "[A-Za-z]{1,9}", lower=True), st.from_regex("[A-Za-z]{1,9}", fullmatch=True)),
    (Choice(WORDS), st.sampled_from(WORDS)),
    (ListOf(SMALL), st.lists(st.integers(0, 3), min_size=1)),
    (SetOf(SMALL), st.lists(st.integers(0, 3), min_size=1)),
    (SetOf(Choice(WORDS)), st.lists(st.sampled_from(WORDS), min_size=1)),
    (Time(), st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)),
    (FilePath(), st.sampled_from(["a.csv", "/srv/b", "../c d"])),
    (NAMED_PATHS, st.lists(st.sampled_from(["a.csv", "brfss=b.csv", "./x=y.csv"]))),
    (IpAddress(), st.ip_addresses().map(str)),
]


@pytest.mark.parametrize(("kind", "values"), EXAMPLES, ids=lambda each: type(each).__name__)
@given(data=st.data())
def test_a_canonical_value_is_checked_to_itself(
    kind: Kind[object], values: st.SearchStrategy[object], data: st.DataObject
) -> None:
    canonical = kind.check(data.draw(values))
    assert repr(kind.check(canonical)) == repr(canonical)


WRITTEN: list[tuple[Kind[object], st.SearchStrategy[tuple[object, str]]]] = [
    (WholeNumber(), st.integers(-(10**18) + 1, 10**18 - 1).map(lambda number: (number, str(number)))),
    (Number(), st.integers(-(10**9), 10**9).map(lambda number: (number / 64, f"{number / 64:.6f}"))),
    (Boolean(), st.sampled_from([(True, "yes"), (True, "ON"), (True, "1"), (False, "False"), (False, "no")])),
    (Choice(WORDS), st.sampled_from(WORDS).map(lambda word: (word, word))),
    (Choice(WORDS, any_case=True), st.sampled_from(WORDS).map(lambda word: (word, word.upper()))),
    (
        ListOf(SMALL),
        st.lists(st.integers(0, 3), min_size=1).map(lambda items: (tuple(items), ", ".join(map(str, items)))),
    ),
]


@pytest.mark.parametrize(("kind", "pairs"), WRITTEN, ids=lambda each: type(each).__name__)
@given(data=st.data())
def test_a_value_that_was_written_as_text_is_read_back(
    kind: Kind[object], pairs: st.SearchStrategy[tuple[object, str]], data: st.DataObject
) -> None:
    value, text = data.draw(pairs)
    assert repr(kind.read(text)) == repr(value)


@pytest.mark.parametrize("kind", KINDS, ids=name)
@given(text=st.text(max_size=8))
def test_any_text_is_read_or_refused(kind: Kind[object], text: str) -> None:
    with contextlib.suppress(FieldError):
        kind.check(kind.read(text))


@pytest.mark.parametrize("text", ["", " ", "+1", "1_0", "03", "1e2", "0x10", "3\n", "\u0663", "9" * 19, "-0", "1.5"])
def test_a_whole_number_is_plain_digits(text: str) -> None:
    with pytest.raises(FieldError, match="is not a whole number"):
        WholeNumber().read(text)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (WholeNumber(1, 256), 0, "0 is not a whole number from 1 to 256"),
        (WholeNumber(minimum=1), 0, "0 is not a whole number from 1 on"),
        (WholeNumber(), True, "True is not a whole number"),
        (WholeNumber(), float("nan"), "nan is not a whole number"),
        (WholeNumber(), float("inf"), "inf is not a whole number"),
        (Number(0.5, 0.999), 2, "2 is not a finite number from 0.5 to 0.999"),
        (Number(), float("inf"), "inf is not a finite number"),
        (Number(), 10**400, "is not a finite number"),
        pytest.param(Number(), 16**5000, "a number of thousands of digits is not a finite number", id="16**5000"),
        (Boolean(), 1, "1 is not true or false"),
        (Text(), "", "'' is not a text"),
        (Choice(WORDS), "fist", "'fist' is no accepted value; did you mean 'first'?"),
        (Choice(WORDS), 1, "1 is not one of first, second, third"),
        (ListOf(SMALL, maximum=2), [1, 2, 3], "3 items; give 1 to 2"),
        (ListOf(SMALL), "12", "'12' is not a list"),
        (Time(), "2026-11-22", "is not an RFC 3339 time with a zone"),
        (Time(), "2026-11-22T12:00:00", "is not an RFC 3339 time with a zone"),
        (FilePath(), "~no-such-user/x", "is not a path"),
        (IpAddress(), "example.org", "'example.org' is not an IP address or localhost"),
    ],
)
def test_a_refusal_names_the_value_and_what_is_expected(kind: Kind[object], value: object, message: str) -> None:
    with pytest.raises(FieldError) as refused:
        kind.check(value)
    assert message in str(refused.value)


def test_a_choice_looks_at_a_collection_that_has_grown() -> None:
    names = {"mean": 1}
    kind = Choice(names)
    names["median"] = 2
    assert kind.check("median") == "median"
    assert kind.json_schema()["enum"] == ["mean", "median"]


def test_a_time_is_the_same_whatever_its_zone() -> None:
    assert Time().check("1970-01-01t01:00:00+01:00") == Time().check("1970-01-01T00:00:00Z")


def test_named_paths_are_separated_like_a_search_path() -> None:
    expected = (NamedPath("brfss", Path("a, b.csv")), NamedPath("", Path("./x=y.csv")))
    assert NAMED_PATHS.read("brfss=a, b.csv:./x=y.csv") == expected
