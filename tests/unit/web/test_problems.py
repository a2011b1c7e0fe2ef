"""The table from exceptions to answers: complete, special before general, and in two forms."""

from __future__ import annotations

import inspect
import json
import os

import pytest
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, UnsupportedMediaType

from meantime import errors
from meantime.errors import InvalidParameterError, MeantimeError, QueueFullError, RequestError, ShuttingDownError
from meantime.web.problems import PROBLEMS, problem_of, problem_response

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, MeantimeError)]
NEVER_RAISED_BY_A_REQUEST = {
    errors.FieldError: "becomes InvalidParameterError where a request is read",
    errors.SettingsError: "raised before there is a server",
    errors.JobCancelledError: "raised inside a job, which then ends as cancelled",
}


def a(kind: type[MeantimeError]) -> MeantimeError:
    """Make an error of this kind, whatever its constructor wants."""
    error = kind.__new__(kind)
    Exception.__init__(error, "a reason")
    return error


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_that_a_request_can_raise_has_a_row_of_its_own_or_of_a_parent(kind: type[MeantimeError]) -> None:
    parents = [parent for parent in kind.__mro__ if parent in PROBLEMS and parent not in (MeantimeError, Exception)]
    is_abstract = bool(kind.__subclasses__()) and kind not in PROBLEMS
    assert parents or is_abstract or kind in NEVER_RAISED_BY_A_REQUEST or kind is MeantimeError, (
        f"{kind.__name__} would be answered with 500; give it a row in PROBLEMS"
    )


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if issubclass(kind, RequestError) and kind is not RequestError]
)
def test_what_a_client_did_wrong_is_a_4xx(kind: type[MeantimeError]) -> None:
    assert 400 <= problem_of(a(kind)).status < 500


def test_a_kind_of_problem_means_one_thing() -> None:
    slugs = {
        problem.slug: {other.status for other in PROBLEMS.values() if other.slug == problem.slug}
        for problem in PROBLEMS.values()
    }
    assert all(len(statuses) == 1 for statuses in slugs.values())


def test_the_contract_form_says_error_and_the_v1_form_the_number() -> None:
    error = InvalidParameterError("k: 0 is out of bounds", field="k", nearest=["1"])
    old = json.loads(problem_response(error, path="/api/best5").data)
    new = json.loads(problem_response(error, path="/api/v1/jobs").data)
    assert (old["status"], old["reason"]) == ("error", "k: 0 is out of bounds")
    assert new["status"] == 422
    assert "reason" not in new
    for body in (old, new):
        assert body["type"] == "/problems#invalid-parameter"
        assert body["detail"] == "k: 0 is out of bounds"
        assert (body["field"], body["nearest"]) == ("k", ["1"])
        assert "accepted" not in body


def test_the_content_type_is_the_rfcs() -> None:
    assert problem_response(NotFound(), path="/").content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/api/v1/jobs"])
def test_a_reason_that_names_a_file_in_another_encoding_can_be_sent(path: str) -> None:
    error = errors.ReloadError(f"{os.fsdecode(b'a' + bytes([0xF1]) + b'o.csv')}: is empty")
    assert json.loads(problem_response(error, path=path).data)["detail"] == r"a\udcf1o.csv: is empty"


@pytest.mark.parametrize(
    ("error", "seconds"),
    [(QueueFullError("full"), "1"), (QueueFullError("full", retry_after_s=7), "7"), (ShuttingDownError("x"), "5")],
)
def test_a_refusal_for_now_says_when_to_try_again(error: Exception, seconds: str) -> None:
    assert problem_response(error, path="/").headers["Retry-After"] == seconds


@pytest.mark.parametrize(
    ("error", "status"), [(NotFound(), 404), (UnsupportedMediaType("send JSON"), 415), (MethodNotAllowed(["GET"]), 405)]
)
def test_an_http_error_keeps_its_status(error: HTTPException, status: int) -> None:
    assert problem_response(error, path="/").status_code == status


def test_the_allowed_methods_are_named() -> None:
    allowed = problem_response(MethodNotAllowed(["POST", "GET"]), path="/").headers["Allow"]
    assert set(allowed.split(", ")) == {"GET", "POST"}
