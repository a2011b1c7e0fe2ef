"""Spellings of one word have one plain form, and forming it never fails."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meantime.fields.spellings import LONGEST, plain_spelling


@pytest.mark.parametrize(
    "spelling", ["Hawai'i", " hawai\u2019i", "HAWAI\u02bcI", "Hawai'i\u200b", "\uff28awai'i", "Ha wai'i\n"]
)
def test_spellings_of_one_word_are_the_same(spelling: str) -> None:
    assert plain_spelling(spelling) == "hawai'i"


@given(st.text(max_size=40))
def test_a_plain_form_stays_as_it_is_and_no_unicode_form_changes_it(text: str) -> None:
    plain = plain_spelling(text)
    assert plain_spelling(plain) == plain
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert plain_spelling(unicodedata.normalize(form, text)) == plain


def test_a_text_that_is_too_long_to_be_a_name_has_none() -> None:
    assert plain_spelling("a" * (LONGEST + 1)) == ""
