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
            self._send(server.next_result() if self.path == "/api/get_results/job_id_1" else b"{}")

        def _send(self, body: bytes) -> None:
            self.send_response(200)
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
        write_case(tmp_path, "best5", number, {"question": "Q"}, {"Ohio": 1.0})
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


def test_an_address_that_is_none_exits_with_2(tmp_path: Path) -> None:
    write_case(tmp_path, "best5", 1, {"question": "Q"}, {})
    result = run_check(tmp_path, "localhost")
    assert result.exit_code == 2
    assert "no server answers at localhost" in result.output


def test_unusable_cases_exit_with_2(tmp_path: Path) -> None:
    assert run_check(tmp_path, "http://127.0.0.1:1").exit_code == 2
    assert run_check(tmp_path / "none", "http://127.0.0.1:1").exit_code == 2
