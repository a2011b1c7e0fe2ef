"""The attacks on a job server that are known, one row a request, each with the answer it has to get.

The rows follow the OWASP API Security Top 10 (2023) and ASVS 5.0. Attacks on framing are in ``test_smuggling.py``, on
keys in ``test_callers.py``, on the form of a body in ``test_bad_input.py`` as well; what takes more than one request
stands below the table.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

from meantime.access_keys import AccessKeyFile, Role
from meantime.bootstrap import build_service
from meantime.errors import SettingsError
from meantime.service import MeantimeService
from meantime.serving.claims import check_exposure
from meantime.settings import Settings
from meantime.survey.ingest.dataset import Dataset
from meantime.web.app import create_app
from meantime.web.observation.access_log import AccessLog
from tests.contract.conftest import LIMIT_S, OBESITY, ROWS, OpenService
from tests.cubes import cube_of

JSON = MappingProxyType({"Content-Type": "application/json"})
QUESTION = json.dumps({"question": OBESITY}).encode()
MARK = "attack-7f3a"
"""Stands in what is sent; an answer that has it in a dangerous form echoes what it was sent."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One request, and the statuses that it may be answered with. ``path`` is sent as it is, percent-encoded."""

    threat: str
    method: str = "GET"
    path: str = "/api/states_mean"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    status: int = 404


def submission(threat: str, body: bytes, status: int, **headers: str) -> Attack:
    """Return a POST to /api/states_mean; underscores in header names stand for hyphens."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Attack(threat=threat, method="POST", headers={**JSON, **given}, body=body, status=status)


def result(threat: str, job_id: str, status: int = 404) -> Attack:
    """Return a GET of a result."""
    return Attack(threat=threat, path=f"/api/get_results/{job_id}", status=status)


ATTACKS = [
    *[
        result("path traversal", job_id)
        for job_id in (
            "..%2f..%2fetc%2fpasswd", "..", ".", "%2e%2e", "..%5c..%5cwindows", "%2fetc%2fpasswd", "job_id_1%2f..",
            "job_id_1.json", "job_id_1%00.json", "%00", "a" * 300, "job_id_" + "9" * 4000,
            "~root", "$(id)", "%60id%60", "job_id_1;id", "job_id_1'--", "1%20OR%201=1", "..%252f..%252fetc",
            "%c0%ae%c0%ae",
        )
    ],
    Attack(threat="path traversal", path="/static/..%2f..%2fapp.py"),
    Attack(threat="path traversal", path="/static/%2e%2e/app.py"),
    Attack(threat="path traversal", path="/static//etc/passwd"),
    Attack(threat="path traversal", path="/../../../../etc/passwd"),
    *[
        result("look-alike ids", job_id)
        for job_id in (
            "job_id_%D9%A1", "%D9%A1", "%EF%BC%91", "1_0", "+1", "-1", "1%0a", "%201", "1%20", "01", "job_id_01", "0",
            "job_id_0", "1.0", "1e0", "0x1", "job_id_+1", "job_id_1%0a", "JOB_ID_1", "job_id_job_id_1", "job_id_",
            "job_id_1000000000000000000", "%F0%9D%9F%8F", "%E2%85%A0", "null", "NaN", "true", "[1]", "{}",
        )
    ],
    submission("look-alike keys", '{"qu\u0435stion":"q"}'.encode(), 422),
    submission("look-alike keys", b'{"question\\u200b":"q"}', 422),
    submission("look-alike keys", b'{"QUESTION":"q"}', 422),
    Attack(threat="CSRF on GET", method="HEAD", path="/api/graceful_shutdown", status=405),
    *[
        Attack(threat="CSRF on GET", path="/api/graceful_shutdown", headers=headers, status=403)
        for headers in (
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"},
            {"Sec-Fetch-Site": "none,cross-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
        )
    ],
    submission("CSRF POST", QUESTION, 403, Origin="https://evil.example", Sec_Fetch_Site="cross-site"),
    submission("CSRF POST", QUESTION, 403, Origin="null"),
    submission("CSRF POST", QUESTION, 403, Sec_Fetch_Site="same-site"),
    submission("CSRF POST", b"{}", 403, Content_Type="text/plain", Origin="https://evil.example"),
    submission("CSRF POST", QUESTION, 415, Content_Type="text/plain"),
    submission("CSRF POST", b"question=q", 415, Content_Type="application/x-www-form-urlencoded"),
    *[
        Attack(threat="DNS rebinding", path=path, headers={"Host": host}, status=400)
        for path in ("/", "/api/jobs", "/api/graceful_shutdown", "/static/meantime.css", "/nowhere")
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:5000", "evil.example:5000")
    ],
    submission("body bomb", b'{"question":"' + b"x" * 70_000 + b'"}', 413),
    submission("body bomb", b"{" + b" " * 70_000 + b"}", 413),
    submission("depth bomb", b"[" * 30_000 + b"]" * 30_000, 400),
    submission("depth bomb", b'{"question":' * 17 + b"1" + b"}" * 17, 400),
    submission("depth bomb", b'{"a":' * 10_000, 400),
    *[
        submission("NaN and Infinity", b'{"question":' + number + b"}", 400)
        for number in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 5000)
    ],
    submission("duplicate keys", b'{"question":"a","question":"b"}', 400),
    submission("duplicate keys", b'{"question":"a","qu\\u0065stion":"b"}', 400),
    submission("encodings", json.dumps({"question": OBESITY}).encode("utf-16"), 400),
    submission("encodings", json.dumps({"question": OBESITY}).encode("utf-32"), 400),
    submission("encodings", b'{"question":"\\ud800"}', 400),
    submission("encodings", b'{"question":"\xff"}', 400),
    submission("encodings", b'{"question":"\\u0000"}', 422),
    submission("encodings", QUESTION, 415, Content_Type="application/json; charset=utf-7"),
    submission("decompression bomb", gzip.compress(b"0" * 1_000_000), 415, Content_Encoding="gzip"),
    submission("decompression bomb", QUESTION, 415, Content_Encoding="br"),
    submission("decompression bomb", QUESTION, 415, Content_Encoding="identity"),
    Attack(threat="listing", path="/api/v1/jobs?limit=100000000", status=422),
    Attack(threat="listing", path="/api/v1/jobs?limit=-1", status=422),
    Attack(threat="listing", path="/api/v1/jobs?cursor=%00", status=422),
    result("log injection", "x%0d%0aFAKE%20LOG%20LINE"),
    result("reflected XSS", f"%3Cscript%3E{MARK}%3C%2fscript%3E"),
    Attack(threat="reflected XSS", path=f"/%3Cscript%3E{MARK}%3C%2fscript%3E"),
    Attack(threat="reflected XSS", path=f"/api/%22onmouseover=%22{MARK}", headers={"Accept": "text/html"}),
    submission("reflected XSS", b'{"question":"<script>' + MARK.encode() + b'</script>"}', 422, Accept="text/html"),
    Attack(threat="open redirect", path="//evil.example/%2e%2e"),
    Attack(threat="open redirect", path="/%5cevil.example/"),
    Attack(threat="open redirect", path="//evil.example"),
    Attack(threat="open redirect", path="/api/jobs/"),
    Attack(threat="open redirect", path="/static"),
    submission("SSRF", b'{"dataset_url":"http://169.254.169.254/"}', 422),
    submission("SSRF", b'{"question":"http://169.254.169.254/","url":"file:///etc/passwd"}', 422),
    submission("ReDoS", b'{"question":"aaaa!","match":"(a+)+$"}', 422),
    submission("ReDoS", b'{"question":"' + b"a" * 50_000 + b'!"}', 422),
    submission("mass assignment", QUESTION[:-1] + b',"status":"done","owner":"root"}', 422),
    submission("mass assignment", QUESTION[:-1] + b',"__class__":"x","__proto__":{}}', 422),
    *[
        Attack(threat="methods", method=method, path=path, status=405)
        for method, path in (
            ("TRACE", "/"), ("TRACE", "/api/jobs"), ("PUT", "/api/jobs"), ("DELETE", "/api/jobs"), ("PATCH", "/"),
            ("CONNECT", "/api/jobs"), ("GET", "/api/states_mean"), ("PROPFIND", "/"), ("DEBUG", "/"),
        )
    ],
    Attack(threat="methods", path="/api/states_mean", headers={"X-HTTP-Method-Override": "POST"}, status=405),
    Attack(threat="debug console", path="/console"),
    Attack(threat="debug console", path="/?__debugger__=yes&cmd=resource&f=debugger.js", status=200),
    Attack(threat="debug console", path="/nowhere?__debugger__=yes&cmd=resource&f=debugger.js"),
    Attack(threat="hidden files", path="/.git/config"),
    Attack(threat="hidden files", path="/.env"),
    Attack(threat="hidden files", path="/.meantime/keys.json"),
    Attack(threat="hidden files", path="/results/job_id_1.json"),
    Attack(threat="hidden files", path="/webserver.log"),
    Attack(threat="long URL", path="/api/get_results/" + "1" * 4100, status=414),
    Attack(threat="long URL", path="/api/jobs?" + "a=b&" * 1100, status=414),
    Attack(threat="template injection", path="/%7B%7B7*7%7D%7D"),
    submission("template injection", b'{"question":"{{7*191}}"}', 422),
    submission("SQL injection", b'{"question":"\' OR 1=1 --"}', 422),
    submission("SQL injection", b'{"question":"x","state":"\'; DROP TABLE jobs; --"}', 422),
]  # fmt: skip


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Iterator[MeantimeService]:
    """One service for the whole table, since nothing in it may leave a trace."""
    folder = tmp_path_factory.mktemp("attacks")
    service = build_service(Settings(state_dir=folder, threads=1), [dataset])
    yield service
    assert service.close(LIMIT_S)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.threat}: {attack.method} {attack.path[:60]}")
def test_an_attack_gets_its_answer_and_nothing_else(
    standing: MeantimeService, settings: Settings, attack: Attack
) -> None:
    client = create_app(standing, settings).test_client()
    # The test client would take two slashes for a host.
    as_it_is = {"PATH_INFO": unquote(attack.path)} if attack.path.startswith("//") else {}
    answer = client.open(
        "/" if as_it_is else attack.path,
        method=attack.method,
        headers=dict(attack.headers),
        data=attack.body,
        environ_overrides=as_it_is,
        buffered=True,
    )
    assert answer.status_code == attack.status
    assert answer.content_type in ("application/problem+json", "application/json")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not {"Location", "Set-Cookie", "Access-Control-Allow-Origin"} & set(answer.headers.keys())
    assert "<" not in answer.text
    assert not [part for part in ("Traceback", "werkzeug", "src/meantime", "1337") if part in answer.text]
    assert list(standing.jobs()) == []
    assert not standing.is_draining


def test_a_remote_client_cannot_end_the_server_whatever_a_header_says(
    client: FlaskClient, service: MeantimeService
) -> None:
    for name in ("X-Forwarded-For", "X-Real-IP", "True-Client-IP", "X-Client-IP", "X-Remote-Addr", "Client-IP"):
        for method in ("GET", "POST"):
            answer = client.open(
                "/api/graceful_shutdown",
                method=method,
                headers={name: "127.0.0.1", "Forwarded": "for=127.0.0.1"},
                environ_overrides={"REMOTE_ADDR": "203.0.113.9"},
            )
            assert answer.status_code == 403
    assert not service.is_draining


def test_another_keys_job_is_no_job(service: MeantimeService, settings: Settings) -> None:
    keys = AccessKeyFile(settings.keys_file)
    alice, bob = ({"Authorization": f"Bearer {keys.add(name, Role.SUBMIT)}"} for name in ("alice", "bob"))
    client = create_app(service, settings).test_client()
    job_id = client.post("/api/global_mean", json={"question": OBESITY}, headers=alice).json["job_id"]  # type: ignore[index]
    for path in (f"/api/get_results/{job_id}", f"/api/v1/jobs/{job_id}", f"/api/v1/jobs/{job_id}/result"):
        assert client.get(path, headers=alice).status_code == 200, path
        of_another = client.get(path, headers=bob)
        of_nobody = client.get(path.replace(job_id, "job_id_999"), headers=bob)
        assert (of_another.status_code, of_another.data) == (404, of_nobody.data)
    assert client.delete(f"/api/v1/jobs/{job_id}", headers=bob).status_code == 404
    assert client.get("/api/v1/jobs", headers=bob).json["jobs"] == []  # type: ignore[index]


def test_a_flood_is_refused_beyond_the_bound_and_told_when_to_come_back(
    open_service: OpenService, settings: Settings
) -> None:
    client = create_app(open_service(start=False, queue_capacity=50), settings).test_client()
    answers = [client.post("/api/global_mean", json={"question": OBESITY}) for _ in range(500)]
    assert [answer.status_code for answer in answers] == [200] * 50 + [503] * 450
    assert {answer.headers["Retry-After"] for answer in answers[50:]} == {"1"}
    assert client.get("/api/num_jobs").json == {"status": "done", "num_jobs": 50, "data": 50}


def test_no_request_forges_a_line_of_the_log_or_leaves_a_secret_there(
    service: MeantimeService, settings: Settings, tmp_path: Path
) -> None:
    log = AccessLog(tmp_path / "webserver.log")
    secret = AccessKeyFile(settings.keys_file).add("alice", Role.SUBMIT)
    client = create_app(service, settings, access_log=log).test_client()
    log.start()
    headers = {"Authorization": f"Bearer {secret}"}
    hostile = [
        "x%0d%0aFAKE", "x%0aFAKE", "x%0dFAKE", "x%c2%85FAKE", "x%e2%80%a8FAKE", "x%1b[2KFAKE", "x%00FAKE", "x%0bFAKE",
        "x%0cFAKE", "x%7fFAKE",
    ]  # fmt: skip
    for text in hostile:
        client.get(f"/api/get_results/{text}?token={secret}", headers=headers)
        client.get(f"/{text}", headers={**headers, "User-Agent": "x", "Referer": f"http://x/?key={secret}"})
        body = json.dumps({"question": text.encode().decode("unicode_escape")}).encode()
        client.post("/api/best5", data=body, headers={**headers, **JSON})
        client.post("/api/best5", json={"question": "x\r\nFAKE\u2028FAKE\x1b"}, headers=headers)
    log.close(LIMIT_S)
    content = (tmp_path / "webserver.log").read_text("utf-8")
    lines = content.split("\n")
    assert len(lines) > 4 * len(hostile)
    assert not [line for line in content.splitlines() if line.startswith("FAKE")]
    assert all(line[:2] == "20" and line[23] == "Z" for line in lines[:-1])
    assert all(character.isprintable() for line in lines for character in line)
    assert secret not in content


def test_a_cell_that_a_spreadsheet_would_run_is_text_in_the_csv(settings: Settings, dataset: Dataset) -> None:
    formula = '=HYPERLINK("http://evil.example","win")'
    rows = [row._replace(location=formula) if row.location == "Ohio" else row for row in ROWS]
    service = build_service(settings, [replace(dataset, cube=cube_of(rows))])
    client = create_app(service, settings).test_client()
    body = {"statistic": "mean", "parameters": {"question": OBESITY, "by": ["location"]}}
    submitted = client.post("/api/v1/jobs", json=body, headers={"Prefer": "wait=30"})
    answer = client.get(f"/api/v1/jobs/{submitted.json['id']}/result.csv")  # type: ignore[index]
    assert service.close(LIMIT_S)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    cells = [cell for line in csv.reader(io.StringIO(answer.text)) for cell in line]
    assert f"'{formula}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "\t", "\r"))]


def test_a_planted_pickle_or_result_is_neither_run_nor_believed(
    client: FlaskClient, settings: Settings, service: MeantimeService, open_service: OpenService
) -> None:
    job_id = client.post("/api/global_mean", json={"question": OBESITY}).json["job_id"]  # type: ignore[index]
    right = client.get(f"/api/get_results/{job_id}").json
    planted = settings.state_dir / "planted"

    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (planted,))

    assert service.close(LIMIT_S)
    for folder in (settings.results_dir, settings.store_dir, settings.store_dir / "stored"):
        (folder / "job.pkl").write_bytes(pickle.dumps(Bomb()))
        for file in folder.glob("*.json"):
            file.write_bytes(b'{"global_mean":99.0}')
    again = create_app(open_service(), settings).test_client()
    assert again.get(f"/api/get_results/{job_id}").json == right
    assert not planted.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "2001:db8::1"])
def test_nobody_serves_others_without_keys_by_accident(settings: Settings, host: str) -> None:
    exposed = replace(settings, host=host)
    with pytest.raises(SettingsError, match="meantime keys add"):
        check_exposure(exposed)
    check_exposure(replace(exposed, insecure=True))
    keys = AccessKeyFile(settings.keys_file)
    keys.add("alice", Role.SUBMIT)
    check_exposure(exposed)
    keys.revoke("alice")
    with pytest.raises(SettingsError):
        check_exposure(exposed)


@pytest.mark.parametrize("variable", ["FLASK_DEBUG", "FLASK_ENV", "WERKZEUG_DEBUG_PIN"])
def test_no_variable_switches_a_debugger_on(
    service: MeantimeService, settings: Settings, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    app = create_app(service, settings)
    assert not app.debug
    assert not app.testing
    assert app.test_client().get("/nowhere").status_code == 404
