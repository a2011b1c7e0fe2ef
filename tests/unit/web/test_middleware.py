"""The WSGI layer around the application: default headers, closing connections, and an exit for every request."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from meantime.web.middleware import Middleware
from meantime.web.observation.access_log import AccessLog
from meantime.web.observation.request_facts import JOB_KEY


def answering(*headers: tuple[str, str], status: str = "200 OK") -> object:
    def application(environ: dict[str, object], start_response: object) -> Iterable[bytes]:
        environ[JOB_KEY] = "job_id_3"
        start_response(status, list(headers))  # type: ignore[operator]  # as in WSGI
        return [b"answer"]

    return application


def client_of(application: object, **details: object) -> Client:
    return Client(Middleware(application, **details), Response)  # type: ignore[arg-type]  # as in WSGI


def test_an_answer_gets_the_default_headers_and_keeps_its_own() -> None:
    answer = client_of(answering(("Cache-Control", "public"), ("X-Own", "1"))).get("/")
    assert answer.data == b"answer"
    assert answer.headers.getlist("Cache-Control") == ["public"]
    assert answer.headers["X-Own"] == "1"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_one_answers_headers_are_not_the_nexts() -> None:
    client = client_of(answering())
    assert len(client.get("/").headers) == len(client.get("/").headers)


def test_connections_are_closed_once_the_process_is_about_to_end() -> None:
    closing = [False]
    client = client_of(answering(), is_closing=lambda: closing[0])
    assert "Connection" not in client.get("/").headers
    closing[0] = True
    assert client.get("/").headers["Connection"] == "close"


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "webserver.log"


def test_an_exit_is_noted_with_status_and_job(log_file: Path) -> None:
    log = AccessLog(log_file)
    log.start()
    client_of(answering(status="200 OK"), access_log=log).post("/api/best5")
    log.close()
    assert " INFO exit POST /api/best5 200 job_id_3 " in log_file.read_text()


def test_an_application_that_raises_leaves_an_exit_too(log_file: Path) -> None:
    def broken(environ: object, start_response: object) -> Iterable[bytes]:
        raise ZeroDivisionError

    log = AccessLog(log_file)
    log.start()
    with pytest.raises(ZeroDivisionError):
        client_of(broken, access_log=log).get("/x")
    log.close()
    assert " INFO exit GET /x 500 - " in log_file.read_text()
