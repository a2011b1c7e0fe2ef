"""A foreign value is shown safely, and what was probably meant is found."""

from __future__ import annotations

import json
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.fields.refusals import (
    ACCEPTED_LIMIT,
    SHOWN_CHARACTERS,
    nearest,
    printable,
    printable_json,
    shown,
    unknown_name,
)


@given(st.text(max_size=200) | st.lists(st.text()) | st.dictionaries(st.text(), st.integers()) | st.binary())
def test_anything_is_shown_as_one_short_line(value: object) -> None:
    assert shown(value).isprintable()
    assert len(shown(value)) <= SHOWN_CHARACTERS


@given(st.text(max_size=200))
def test_a_printable_text_has_nothing_that_a_terminal_obeys(text: str) -> None:
    assert all(character.isprintable() or category(character) == "Zs" for character in printable(text))
    assert text not in ("Åland", "a\u00a0b", "日本", "😀") or printable(text) == text


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_printable_json_says_the_same(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    made = printable_json(text)
    assert json.loads(made) == value
    assert all(character.isprintable() or category(character) == "Zs" for character in made.replace("\n", ""))


@pytest.mark.parametrize(
    "value", [["x" * 10_000] * 10_000, 10**4000, 16**5000, [16**5000], {"a": {"b": {"c": {}}}}], ids=type
)
def test_a_large_value_is_shown_short(value: object) -> None:
    assert len(shown(value)) <= SHOWN_CHARACTERS


def test_a_short_value_is_shown_whole() -> None:
    assert shown("Ohio") == "'Ohio'"
    assert shown("it's") == '"it\'s"'
    assert shown("x" * (SHOWN_CHARACTERS - 2)) == repr("x" * (SHOWN_CHARACTERS - 2))
    assert shown(None) == "None"


@pytest.mark.parametrize(
    ("value", "expected"), [("ohio ", "Ohio"), ("AL", "Alabama"), ("Alabamma", "Alabama"), ("lask", "Alaska")]
)
def test_the_name_that_was_probably_meant_comes_first(value: str, expected: str) -> None:
    assert nearest(value, ["Alabama", "Alaska", "Ohio"], {"AL": "Alabama"})[0] == expected


def test_a_name_of_64_kilobytes_is_like_none() -> None:
    assert nearest("z" * 65_536, ["Alabama", "Alaska"]) == ()


def test_names_that_need_not_be_very_alike() -> None:
    assert nearest("pt", ["percent"]) == ()
    assert nearest("pt", ["percent"], likeness=0.4) == ("percent",)


def test_of_many_names_only_the_number_is_told() -> None:
    error = unknown_name("xyz", [f"County {n}" for n in range(ACCEPTED_LIMIT + 1)], what="location")
    assert str(error) == f"'xyz' is no location; {ACCEPTED_LIMIT + 1} are known, see the dataset's list"
    assert error.accepted == ()
