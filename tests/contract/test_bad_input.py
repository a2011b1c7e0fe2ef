"""The contract's table of bad input: each row its status, a problem body, and no job."""

from __future__ import annotations

import io
import json

import pytest
from flask.testing import FlaskClient

from tests.contract.conftest import OBESITY

JSON = {"Content-Type": "application/json"}
QUESTION = json.dumps({"question": OBESITY}).encode()

MALFORMED = {
    "empty": b"",
    "blank": b"  ",
    "not JSON": b"question=obesity",
    "cut short": QUESTION[:-1],
    "something behind": QUESTION + b"x",
    "two values": QUESTION * 2,
    "an array": b'["question"]',
    "a text": b'"question"',
    "null": b"null",
    "a number": b"1",
    "single quotes": b"{'question': 'q'}",
    "a trailing comma": b'{"question":"q",}',
    "a comment": b'{"question":"q"} // really',
    "NaN": b'{"question":NaN}',
    "Infinity": b'{"question":Infinity}',
    "minus Infinity": b'{"question":-Infinity}',
    "a float out of range": b'{"question":1e999}',
    "an integer of 19 digits": b'{"question":' + b"9" * 19 + b"}",
    "an integer of 5,000 digits": b'{"question":' + b"9" * 5000 + b"}",
    "duplicate keys": b'{"question":"a","question":"b"}',
    "duplicate keys, escaped": b'{"question":"a","qu\\u0065stion":"b"}',
    "duplicate keys, nested": b'{"question":{"a":1,"a":2}}',
    "17 levels": b'{"question":' + b"[" * 16 + b"]" * 16 + b"}",
    "30,000 levels": b"[" * 30_000 + b"]" * 30_000,
    "30,000 levels of objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "UTF-16": json.dumps({"question": OBESITY}).encode("utf-16"),
    "UTF-32": json.dumps({"question": OBESITY}).encode("utf-32"),
    "Latin-1": '{"question":"é"}'.encode("latin-1"),
    "two byte order marks": b"\xef\xbb\xbf" * 2 + QUESTION,
    "a byte order mark behind": QUESTION + b"\xef\xbb\xbf",
    "an overlong encoding": b'{"question":"\xc0\xaf"}',
    "an encoded surrogate": b'{"question":"\xed\xa0\x80"}',
    "half a surrogate pair": b'{"question":"\\ud800"}',
    "half a surrogate pair in a key": b'{"\\udc00":"q"}',
    "a control character": b'{"question":"a\nb"}',
    "a bad escape": b'{"question":"\\x41"}',
    "a null byte": b'{"question":"q"}\0',
}


def assert_problem(client: FlaskClient, answer: object, status: int) -> dict[str, object]:
    """Check the form of a problem body, and that no job came of it; return the body."""
    assert answer.status_code == status  # type: ignore[attr-defined]  # werkzeug's TestResponse
    assert answer.content_type == "application/problem+json"  # type: ignore[attr-defined]
    body: dict[str, object] = answer.json  # type: ignore[attr-defined]
    assert body["status"] == "error"
    assert body["reason"] == body["detail"]
    assert body["reason"]
    assert body["title"]
    assert str(body["type"]).startswith("/problems#")
    assert client.get("/api/jobs").json == {"status": "done", "data": []}
    return body


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_json_object_is_refused_with_400(client: FlaskClient, content: bytes) -> None:
    assert_problem(client, client.post("/api/states_mean", data=content, headers=JSON), 400)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
@pytest.mark.parametrize("path", ["/api/states_mean", "/api/v1/jobs"])
def test_a_body_may_begin_with_a_byte_order_mark(client: FlaskClient, path: str, content_type: str) -> None:
    v1 = json.dumps({"statistic": "mean", "parameters": {"question": OBESITY}}).encode()
    body = b"\xef\xbb\xbf" + (v1 if path.startswith("/api/v1") else QUESTION)
    answer = client.post(path, data=body, headers={"Content-Type": content_type})
    assert answer.status_code in (200, 202), answer.text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_body_in_utf_16_is_told_to_come_in_utf_8(client: FlaskClient, encoding: str) -> None:
    answer = client.post("/api/states_mean", data=QUESTION.decode().encode(encoding), headers=JSON)
    told = str(assert_problem(client, answer, 400)["detail"])
    assert "UTF-16 or UTF-32" in told
    assert told.endswith("send JSON in UTF-8")


def test_sixteen_levels_are_read(client: FlaskClient) -> None:
    content = b'{"question":' + b"[" * 15 + b"]" * 15 + b"}"
    assert_problem(client, client.post("/api/states_mean", data=content, headers=JSON), 422)


@pytest.mark.parametrize(
    ("endpoint", "body", "field"),
    [
        ("states_mean", {}, "question"),
        ("states_mean", {"question": None}, "question"),
        ("states_mean", {"question": 1}, "question"),
        ("states_mean", {"question": [OBESITY]}, "question"),
        ("states_mean", {"question": {"text": OBESITY}}, "question"),
        ("states_mean", {"question": True}, "question"),
        ("states_mean", {"question": ""}, "question"),
        ("states_mean", {"question": OBESITY.upper()}, "question"),
        ("states_mean", {"question": OBESITY + "\n"}, "question"),
        ("states_mean", {"question": OBESITY, "state": "Ohio"}, "state"),
        ("states_mean", {"question": OBESITY, "status": "done"}, "status"),
        ("states_mean", {"question": OBESITY, "": 1}, ""),
        ("states_mean", {"Question": OBESITY}, "Question"),
        ("states_mean", {"qu\u0435stion": OBESITY}, "qu\u0435stion"),
        ("state_mean", {"question": OBESITY}, "state"),
        ("state_mean", {"question": OBESITY, "state": "Ohoi"}, "state"),
        ("state_mean", {"question": OBESITY, "state": ["Ohio"]}, "state"),
        ("state_mean", {"question": OBESITY, "state": "../../etc/passwd"}, "state"),
        ("state_diff_from_mean", {"state": "Ohio"}, "question"),
        ("mean_by_category", {"dataset_url": "http://169.254.169.254/"}, "dataset_url"),
    ],
)
def test_a_wrong_field_is_refused_with_422_and_named(
    client: FlaskClient, endpoint: str, body: dict[str, object], field: str
) -> None:
    problem = assert_problem(client, client.post(f"/api/{endpoint}", json=body), 422)
    assert problem.get("field", "") == field


def test_the_nearest_names_are_suggested(client: FlaskClient) -> None:
    answer = client.post("/api/state_mean", json={"question": OBESITY, "state": "Ohoi"})
    assert assert_problem(client, answer, 422)["nearest"] == ["Ohio"]
    answer = client.post("/api/states_mean", json={"question": OBESITY.replace("obesity", "obesty")})
    assert assert_problem(client, answer, 422)["nearest"] == [OBESITY]


def test_a_hostile_value_comes_back_neither_whole_nor_raw(client: FlaskClient) -> None:
    value = "<script>alert(1)</script>\r\nSet-Cookie: a=b\x1b[31m" + "x" * 10_000
    answer = client.post("/api/states_mean", json={"question": value})
    assert_problem(client, answer, 422)
    assert len(answer.data) < 2000
    assert not any(ord(character) < 32 for character in str(answer.json["reason"]))  # type: ignore[index]
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("headers", [JSON, {"Content-Type": "text/plain"}])
def test_a_body_over_the_limit_is_refused_with_413(client: FlaskClient, headers: dict[str, str]) -> None:
    content = json.dumps({"question": "x" * 65_536})
    expected = 413 if headers is JSON else 415
    assert_problem(client, client.post("/api/states_mean", data=content, headers=headers), expected)


def test_a_body_of_exactly_the_limit_is_read(client: FlaskClient) -> None:
    content = b'{"question":"' + b"x" * (65_536 - 15) + b'"}'
    assert len(content) == 65_536
    assert_problem(client, client.post("/api/states_mean", data=content, headers=JSON), 422)


def test_an_endless_body_in_chunks_is_read_no_further_than_the_limit(client: FlaskClient) -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return b"x" * size

    body = Endless()
    answer = client.post(
        "/api/states_mean",
        headers={**JSON, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert_problem(client, answer, 413)
    assert body.taken <= 65_537


def test_a_body_that_ends_before_its_length_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/states_mean", data=QUESTION, headers=JSON, environ_overrides={"CONTENT_LENGTH": "500"})
    assert_problem(client, answer, 400)


def test_two_lengths_are_refused(client: FlaskClient) -> None:
    headers = {**JSON, "Transfer-Encoding": "chunked", "Content-Length": str(len(QUESTION))}
    assert_problem(client, client.post("/api/states_mean", data=QUESTION, headers=headers), 400)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json, text/plain"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json; charset=latin-1"},
        {**JSON, "Content-Encoding": "gzip"},
        {**JSON, "Content-Encoding": "identity"},
        {**JSON, "Content-Encoding": ""},
    ],
)
def test_another_content_type_or_encoding_is_refused_with_415(client: FlaskClient, headers: dict[str, str]) -> None:
    assert_problem(client, client.post("/api/states_mean", data=QUESTION, headers=headers), 415)


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/states_mean/", "/api/State_mean", "//evil.example/..", "/\\evil.example/", "/.git"],
)
def test_an_unknown_path_is_404_and_never_a_redirect(client: FlaskClient, path: str) -> None:
    for method in ("GET", "POST"):
        answer = client.open("/", method=method, environ_overrides={"PATH_INFO": path})
        assert_problem(client, answer, 404)
        assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/states_mean", {"POST", "OPTIONS"}),
        ("PUT", "/api/states_mean", {"POST", "OPTIONS"}),
        ("DELETE", "/api/get_results/1", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/api/jobs", {"GET", "HEAD", "OPTIONS"}),
        ("TRACE", "/", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/api/num_jobs", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_another_method_is_refused_with_405_and_the_allowed_ones(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.open(path, method=method)
    assert_problem(client, answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_method_override_header_overrides_nothing(client: FlaskClient) -> None:
    assert client.get("/api/num_jobs", headers={"X-HTTP-Method-Override": "DELETE"}).status_code == 200
