"""Which form of a result a client gets."""

from __future__ import annotations

import pytest
from werkzeug.exceptions import NotAcceptable

from meantime.formats.result_formats import FORMATS
from meantime.web.v1.result_forms import choose_format


@pytest.mark.parametrize(
    ("accept", "name"),
    [
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/csv", "csv"),
        ("text/*", "csv"),
        ("text/html, text/csv;q=0.5", "csv"),
        ("text/csv;q=0.4, application/vnd.apache.parquet;q=0.9", "parquet"),
        ("application/vnd.json-stat+json", "jsonstat"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "json"),
    ],
)
def test_a_client_gets_the_form_that_it_likes_best(accept: str, name: str) -> None:
    assert choose_format(accept, list(FORMATS.values())).name == name


def test_a_client_that_says_nothing_gets_json() -> None:
    assert choose_format(None, list(FORMATS.values())).name == "json"


@pytest.mark.parametrize("accept", ["text/html", "text/csv;q=0", "image/*"])
def test_a_client_that_accepts_no_form_is_told_which_there_are(accept: str) -> None:
    with pytest.raises(NotAcceptable, match=r"text/csv \(\.csv\)"):
        choose_format(accept, list(FORMATS.values()))
