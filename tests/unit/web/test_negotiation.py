"""Which media type an Accept header asks for, held against the RFC's own table, and that no header breaks it."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from meantime.web.negotiation import preferred_type

ACCEPT = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"
QUALITIES = {
    "text/plain;format=flowed": 1.0,
    "text/plain": 0.7,
    "text/html": 0.3,
    "image/jpeg": 0.5,
    "text/plain;format=fixed": 0.4,
    "text/html;level=3": 0.3,
}
"""The example of RFC 9110, section 12.5.1, with its table."""

HEADERS = st.lists(
    st.sampled_from(
        [
            "text/csv",
            "*",
            "/",
            "*/*",
            "text/*",
            "*/csv",
            ";",
            ",",
            "q=",
            "q=0.5",
            "q=1e9",
            "=",
            '"',
            "charset=utf-8",
            " ",
        ]
    )
    | st.text(max_size=8),
    max_size=12,
).map("".join)


def test_of_two_types_the_one_of_higher_quality_is_sent_in_whatever_order_they_are_offered() -> None:
    for one, other in permutations(QUALITIES, 2):
        if QUALITIES[one] > QUALITIES[other]:
            assert preferred_type(ACCEPT, [one, other]) == preferred_type(ACCEPT, [other, one]) == one


def test_among_equals_the_server_s_favourite_is_sent_unless_the_client_names_the_other() -> None:
    assert preferred_type("*/*", ["a/b", "c/d"]) == "a/b"
    assert preferred_type("c/d, a/b", ["a/b", "c/d"]) == "a/b"
    assert preferred_type("*/*, c/d", ["a/b", "c/d"]) == "c/d"


def test_without_a_header_or_with_an_empty_one_the_favourite_is_sent() -> None:
    assert {preferred_type(accept, ["a/b", "c/d"]) for accept in (None, "", "  ")} == {"a/b"}


def test_what_is_ruled_out_by_name_is_not_let_in_by_a_wildcard() -> None:
    assert preferred_type("a/b;q=0, */*;q=0.1", ["a/b", "c/d"]) == "c/d"
    assert preferred_type("a/b;q=0, */*;q=0.1", ["a/b"]) is None


@given(HEADERS)
def test_any_header_gives_an_offered_type_or_none(accept: str) -> None:
    assert preferred_type(accept, ["text/csv; header=present", "application/json"]) in (
        "text/csv; header=present",
        "application/json",
        None,
    )
