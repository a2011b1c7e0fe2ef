"""An answer of whole bytes says its length once and sends no body to HEAD."""

from __future__ import annotations

import pytest
from werkzeug.test import Client, EnvironBuilder

from meantime.web.responses import WireResponse


def test_the_answer_has_its_status_headers_length_and_body() -> None:
    answer = Client(WireResponse(b'{"a":1}', 202, [("Location", "/x")])).get("/")
    assert (answer.status_code, answer.data) == (202, b'{"a":1}')
    assert sorted(answer.headers) == [("Content-Length", "7"), ("Content-Type", "application/json"), ("Location", "/x")]


def test_head_gets_the_headers_alone() -> None:
    answer = Client(WireResponse(b'{"a":1}')).head("/")
    assert (answer.data, answer.headers["Content-Length"]) == (b"", "7")


def test_the_body_goes_out_in_one_piece() -> None:
    environ = EnvironBuilder().get_environ()
    assert WireResponse(b"12")(environ, lambda status, headers, exc_info=None: lambda piece: None) == [b"12"]


def test_an_answer_that_is_changed_before_it_goes_out_is_sent_as_changed() -> None:
    answer = WireResponse(b'{"a":1}')
    answer.status_code = 503
    answer.headers["Retry-After"] = "1"
    sent = Client(answer).get("/")
    assert (sent.status_code, sent.data, sent.headers["Retry-After"]) == (503, b'{"a":1}', "1")


def test_what_a_response_never_has_is_not_found_on_it() -> None:
    with pytest.raises(AttributeError, match="colour"):
        _ = WireResponse(b"1").colour
