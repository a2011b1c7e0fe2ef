"""The contract's checker: its comparison, and the command against a small real HTTP server."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from meantime.cli.check import ContractClient, UnusableError, check, differences, read_cases

LIMIT_S = 30.0

# ---- the comparison -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (30.0, 30.0099),
        ({"Ohio": 30.5, "Guam": None}, {"Guam": None, "Ohio": 30.5}),
        ({"Ohio": {"('Sex', 'Female')": 1.0}}, {"Ohio": {"('Sex', 'Female')": 1.009}}),
        ([1.0, "text", True], [1.0, "text", True]),
        ({}, {}),
    ],
)
def test_an_answer_within_the_rules_has_no_differences(expected: object, actual: object) -> None:
    assert differences(expected, actual) == []


@pytest.mark.parametrize(
    ("expected", "actual", "line"),
    [
        (30.0, 30.011, "data is 30.011, expected 30.0"),
        (30.0, float("nan"), "data is nan, expected 30.0"),
        (30.0, 30, "data is the int 30, expected the float 30.0"),
        (1, True, "data is the bool true, expected the int 1"),
        (1, 2, "data is the int 2, expected the int 1"),
        (30.0, None, "data is null, expected the float 30.0"),
        ({}, None, "data is null, expected the dict {}"),
        ({"Ohio": 1.0}, {}, "data.Ohio is missing"),
        ({}, {"Ohio": 1.0}, "data.Ohio is not expected"),
        ({"Ohio": {"Total": 1.0}}, {"Ohio": {"Total": 2.0}}, "data.Ohio.Total is 2.0, expected 1.0"),
        ([1.0, 2.0], [2.0, 1.0], "data[0] is 2.0, expected 1.0"),
        ([1.0], [1.0, 2.0], "data has 2 entries, expected 1"),
    ],
)
def test_a_difference_is_named_with_its_place(expected: object, actual: object, line: str) -> None:
    assert differences(expected, actual)[0] == line


def test_a_long_value_is_cut_short_in_the_line() -> None:
    (line,) = differences(1.0, "x" * 1000)
    assert len(line) < 120
    assert "..." in line


# ---- the folder -----------------------------------------------------------------------------------------------------


def write_case(folder: Path, endpoint: str, number: int, request: object, expected: object) -> None:
    for place, name, value in (("input", "in", request), ("output", "out", expected)):
        file = folder / endpoint / place / f"{name}-{number}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))


def test_cases_come_by_endpoint_and_number(tmp_path: Path) -> None:
    for endpoint, number in (("worst5", 1), ("best5", 10), ("best5", 9)):
        write_case(tmp_path, endpoint, number, {"question": "Q"}, {})
    assert [(case.endpoint, case.number) for case in read_cases(tmp_path)] == [
        ("best5", 9),
        ("best5", 10),
        ("worst5", 1),
    ]


def test_a_folder_without_cases_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="holds no cases: expected files such as .*best5/input/in-1.json"):
        read_cases(tmp_path)


def test_a_request_without_its_answer_is_unusable(tmp_path: Path) -> None:
    write_case(tmp_path, "best5", 1, {}, {})
    (tmp_path / "best5/output/out-1.json").unlink()
    with pytest.raises(UnusableError, match="out-1.json can't be read: No such file"):
        read_cases(tmp_path)


def test_a_file_that_is_not_json_is_unusable(tmp_path: Path) -> None:
    write_case(tmp_path, "best5", 1, {}, {})
    (tmp_path / "best5/input/in-1.json").write_text("{")
    with pytest.raises(UnusableError, match="in-1.json is not JSON"):
        read_cases(tmp_path)


def test_a_request_without_a_number_is_unusable(tmp_path: Path) -> None:
    write_case(tmp_path, "best5", 1, {}, {})
    (tmp_path / "best5/input/in-one.json").write_text("{}")
    with pytest.raises(UnusableError, match="in-one.json: the name has no number"):
        read_cases(tmp_path)


# ---- the command ----------------------------------------------------------------------------------------------------


@dataclass
class StandIn:
    """A server of the contract that gives the answers it was told to: any job is job_id_1."""

    url: str
    acceptance: bytes = b'{"job_id": "job_id_1"}'
    may_answer: threading.Event = field(default_factory=threading.Event)
    results: list[bytes] = field(default_factory=list)  # one each poll; the last one is repeated
    requests: list[tuple[str, object]] = field(default_factory=list)
    key: str = ""  # that it takes, if it takes one

    def next_result(self) -> bytes:
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]


def done(data: object) -> bytes:
    return json.dumps({"status": "done", "data": data}).encode()


RUNNING = b'{"status": "running"}'


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.requests.append((self.path, request))
            server.may_answer.wait()
            self._send(server.acceptance)

        def do_GET(self) -> None:
            self._send(server.next_result() if self.path.endswith("/api/get_results/job_id_1") else b"{}")

        def _send(self, body: bytes) -> None:
            knows = server.key in ("", self.headers.get("Authorization", "").removeprefix("Bearer "))
            self.send_response(200 if knows else 401)
            self.send_header("Content-Length", str(len(body)))
            with contextlib.suppress(ConnectionError):  # a client that has given up
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        server = StandIn(url=f"http://127.0.0.1:{http_server.server_port}")
        server.may_answer.set()
        thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.may_answer.set()
        http_server.shutdown()
        thread.join()


def run_check(folder: Path, url: str, **options: float) -> Result:
    arguments = [str(folder), "--url", url, "--poll-interval", "0.001"]
    for name, value in options.items():
        arguments += [f"--{name}", str(value)]
    return CliRunner().invoke(check, arguments)


def table_row(result: Result, endpoint: str) -> list[str]:
    """Return the numbers of one line of the table: passed, failed, total."""
    (line,) = (line for line in result.output.splitlines() if f" {endpoint} " in line)
    return [word for word in line.split() if word.isdigit()]


def test_all_cases_passing_exits_with_0_and_a_table(tmp_path: Path, stand_in: StandIn) -> None:
    for number in (1, 2):
        write_case(tmp_path, "states_mean", number, {"question": f"Q{number}"}, {"Ohio": 30.0})
    stand_in.results = [RUNNING, RUNNING, done({"Ohio": 30.005})]
    result = run_check(tmp_path, stand_in.url)
    assert result.exit_code == 0, result.output
    assert table_row(result, "states_mean") == ["2", "0", "2"]
    assert "2 of 2 cases passed" in result.output
    assert stand_in.requests == [("/api/states_mean", {"question": "Q1"}), ("/api/states_mean", {"question": "Q2"})]


def test_one_wrong_answer_exits_with_1_and_names_it(tmp_path: Path, stand_in: StandIn) -> None:
    write_case(tmp_path, "best5", 7, {"question": "Q"}, {"Ohio": 30.0, "Guam": 1.0})
    write_case(tmp_path, "worst5", 1, {"question": "Q"}, {"Ohio": 30})
    stand_in.results = [done({"Ohio": 30})]
    result = run_check(tmp_path, stand_in.url)
    assert result.exit_code == 1
    assert table_row(result, "best5") == ["0", "1", "1"]
    assert table_row(result, "worst5") == ["1", "0", "1"]
    assert "best5 7: data.Ohio is the int 30, expected the float 30.0; data.Guam is missing" in result.output


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b'{"status": "error", "reason": "no such question"}', "get_results answers the dict"),
        (b"[]", "get_results answers the list []"),
        (b"<html>", "the answer is not JSON"),
        (b"[" * 100_000, "the answer is not JSON"),
        (b'{"status": "done", "data": {"\\u001b[2J\\u202e": 1}}', r"data.\x1b[2J\u202e is not expected"),
        (b'{"status": "done"}', "data is null, expected the dict {}"),
    ],
)
def test_a_strange_result_is_a_failed_case(tmp_path: Path, stand_in: StandIn, answer: bytes, reason: str) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {})
    stand_in.results = [answer]
    result = run_check(tmp_path, stand_in.url)
    assert result.exit_code == 1
    assert f"best5 1: {reason}" in result.output


def test_an_answer_without_a_job_id_is_a_failed_case(tmp_path: Path, stand_in: StandIn) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {})
    stand_in.acceptance = b'{"status": "error"}'
    result = run_check(tmp_path, stand_in.url)
    assert result.exit_code == 1
    assert "carries no job_id" in result.output


def test_a_refusal_is_shown_with_its_reason(tmp_path: Path, stand_in: StandIn) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {})
    stand_in.acceptance = b'{"status": "error", "reason": "no such question"}'
    result = run_check(tmp_path, stand_in.url)
    assert "best5 1: the server refuses the request: no such question" in result.output


def test_a_job_that_never_ends_is_a_failed_case(tmp_path: Path, stand_in: StandIn) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {})
    stand_in.results = [RUNNING]
    (case,) = read_cases(tmp_path)
    now_s = itertools.count(step=LIMIT_S / 3)  # a third of the limit goes by at each look
    with requests.Session() as session:
        client = ContractClient(
            session, stand_in.url, limit_s=LIMIT_S, poll_interval_s=0.001, monotonic=lambda: next(now_s)
        )
        assert client.run(case) == [f"job_id_1 is still running after {LIMIT_S:g} s"]


def test_a_server_that_does_not_answer_is_a_failed_case(tmp_path: Path, stand_in: StandIn) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {})
    stand_in.may_answer.clear()
    result = run_check(tmp_path, stand_in.url, timeout=0.05)
    assert result.exit_code == 1
    assert "no answer within 0.05 s" in result.output


def test_only_the_first_failures_are_listed(tmp_path: Path, stand_in: StandIn) -> None:
    for number in range(1, 24):
        write_case(tmp_path, "best5", number, {"question": "Q"}, {"Ohio": 100.0 + number})
    stand_in.results = [done({"Ohio": 9.0})]
    result = run_check(tmp_path, stand_in.url)
    assert "best5 20: " in result.output
    assert "best5 21: " not in result.output
    assert "and 3 more failures" in result.output


def test_nobody_at_the_address_exits_with_2_and_one_line(tmp_path: Path, stand_in: StandIn) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {})
    result = run_check(tmp_path, "http://127.0.0.1:1")
    assert result.exit_code == 2
    assert "no server answers at http://127.0.0.1:1: " in result.output
    assert "Connection refused" in result.output
    assert len(result.output.splitlines()) == 1


def test_cases_that_fail_alike_share_one_line(tmp_path: Path, stand_in: StandIn) -> None:
    for number in (1, 2, 3, 5):
        write_case(tmp_path, "best5", number, {"question": "Q"}, {})
    write_case(tmp_path, "worst5", 1, {"question": "Q"}, {})
    stand_in.acceptance = b'{"status": "error", "reason": "shutting down"}'
    result = run_check(tmp_path, stand_in.url)
    alike = "best5 1-3, 5, worst5 1: the server refuses the request: shutting down"
    assert [line for line in result.output.splitlines() if "shutting down" in line] == [alike]


def test_the_address_may_be_given_without_http(tmp_path: Path, stand_in: StandIn) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {"Ohio": 1.0})
    stand_in.results = [done({"Ohio": 1.0})]
    assert run_check(tmp_path, stand_in.url.removeprefix("http://") + "/").exit_code == 0


def test_the_server_may_be_below_a_path(tmp_path: Path, stand_in: StandIn) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {"Ohio": 1.0})
    stand_in.results = [done({"Ohio": 1.0})]
    assert run_check(tmp_path, f"{stand_in.url}/stats/").exit_code == 0
    assert stand_in.requests == [("/stats/api/best5", {"question": "Q"})]


@pytest.mark.parametrize(
    "url",
    [
        "http://h/a?b=c",
        "http://h/a#b",
        "http://h/a b",
        "",
        "http://",
        "ftp://127.0.0.1:5000",
        "http://127.0.0.1:port",
        "http://a b",
        "/x",
    ],
)
def test_an_address_that_is_none_is_named_with_one_that_is(tmp_path: Path, url: str) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {})
    result = run_check(tmp_path, url)
    assert result.exit_code == 2
    assert result.output.splitlines()[-1].startswith(f"Error: --url: {url!r} is no address")
    assert "http://127.0.0.1:5000" in result.output


def test_a_key_is_read_from_a_file_and_sent_with_every_request(tmp_path: Path, stand_in: StandIn) -> None:
    write_case(tmp_path / "cases", "best5", 1, {"question": "Q"}, {"Ohio": 1.0})
    stand_in.results, stand_in.key = [done({"Ohio": 1.0})], "mt_right"
    arguments = [str(tmp_path / "cases"), "--url", stand_in.url, "--key-file"]
    (tmp_path / "key").write_text("mt_right\n")
    assert CliRunner().invoke(check, [*arguments, str(tmp_path / "key")]).exit_code == 0
    assert CliRunner().invoke(check, [*arguments, "-"], input="mt_right\n").exit_code == 0
    wrong = CliRunner().invoke(check, [*arguments, "-"], input="mt_wrong\n")
    assert (wrong.exit_code, len(wrong.output.splitlines())) == (2, 1)
    assert "does not accept this access key" in wrong.output


@pytest.mark.parametrize("content", ["", "two words\n", "caf\xe9"])
def test_a_file_that_holds_no_key_is_unusable(tmp_path: Path, content: str) -> None:
    write_case(tmp_path / "cases", "best5", 1, {"question": "Q"}, {})
    (tmp_path / "key").write_bytes(content.encode("latin-1"))
    result = CliRunner().invoke(check, [str(tmp_path / "cases"), "--key-file", str(tmp_path / "key")])
    assert (result.exit_code, len(result.output.splitlines())) == (2, 1)
    assert "holds no access key" in result.output


def test_a_server_that_takes_keys_ends_the_check_with_one_line(tmp_path: Path, stand_in: StandIn) -> None:
    for number in range(1, 89):
        write_case(tmp_path, "best5", number, {"question": "Q"}, {})
    stand_in.key = "mt_right"
    result = run_check(tmp_path, stand_in.url)
    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert "takes an access key; give --key-file" in result.output
    assert len(stand_in.requests) == 1


def test_unusable_cases_exit_with_2(tmp_path: Path) -> None:
    assert run_check(tmp_path, "http://127.0.0.1:1").exit_code == 2
    assert run_check(tmp_path / "none", "http://127.0.0.1:1").exit_code == 2
