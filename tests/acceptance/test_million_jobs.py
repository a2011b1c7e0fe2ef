"""A store of a million finished jobs: started, asked for one, for a page, and for all of them."""

from __future__ import annotations

import http.client
import sqlite3
import statistics
import time
from contextlib import closing
from pathlib import Path

from meantime.jobs.job import Task
from meantime.jobs.sqlite.job_rows import row_checksum
from tests.acceptance.conftest import OpenServer
from tests.acceptance.server import Answer, Server, ask, memory_of
from tests.acceptance.small_table import Request, same
from tests.fault_table import Record

JOB_COUNT = 1_000_000
ASKED_COUNT = 100


def multiply_the_job(store_file: Path, count: int = JOB_COUNT) -> None:
    """Make the one job of a store many of them."""
    with closing(sqlite3.connect(store_file)) as connection, connection:
        connection.create_function("row_checksum", 4, _checksum, deterministic=True)
        names = [row[1] for row in connection.execute("PRAGMA table_info(jobs)")]
        chosen = {name: name for name in names} | {
            "number": "n",
            "checksum": "row_checksum(n, task, arguments, version)",
        }
        connection.execute(
            "WITH RECURSIVE counter(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM counter WHERE n < ?) "
            f"INSERT INTO jobs ({', '.join(chosen)}) SELECT {', '.join(chosen.values())} FROM counter, jobs "
            "WHERE number = 1",
            (count,),
        )


def _checksum(number: int, task: str, arguments: str, version: str) -> int:
    return row_checksum(number, Task(task, arguments, version), "", None)


def _timed(connection: http.client.HTTPConnection, paths: list[str]) -> tuple[float, list[Answer]]:
    """Ask for each path; return the 99th percentile of the times in milliseconds, and the answers."""
    times_s, answers = [], []
    for path in paths:
        began = time.perf_counter()
        answers.append(ask(connection, "GET", path))
        times_s.append(time.perf_counter() - began)
    return statistics.quantiles(times_s, n=100)[98] * 1000, answers


def _stream_all(server: Server) -> tuple[int, int]:
    """Read the list of all jobs; return its length in bytes and how much the worker's memory has grown."""
    before = memory_of(server.worker_pid, "VmHWM")
    with closing(server.connect()) as connection:
        connection.request("GET", "/api/jobs")
        response = connection.getresponse()
        assert response.status == 200
        length, entries, tail = 0, 0, b""
        while chunk := response.read(1 << 20):
            length += len(chunk)
            entries += (tail + chunk).count(b'":"done"}') - tail.count(b'":"done"}')
            tail = chunk[-8:]
    assert entries == JOB_COUNT
    return length, memory_of(server.worker_pid, "VmHWM") - before


def test_a_million_finished_jobs_are_listed_and_found(
    open_server: OpenServer, requests: list[Request], record: Record
) -> None:
    server = open_server().start()
    server.post(requests[0].endpoint, requests[0].body)
    server.wait_idle()
    assert server.stop() == 0
    multiply_the_job(server.store_file)
    server.start()
    numbers = [1 + i * (JOB_COUNT - 1) // (ASKED_COUNT - 1) for i in range(ASKED_COUNT)]
    with closing(server.connect()) as connection:
        one_ms, answers = _timed(connection, [f"/api/get_results/job_id_{number}" for number in numbers])
        page_ms, pages = _timed(connection, ["/api/v1/jobs?limit=100"] * ASKED_COUNT)
        count_ms, _ = _timed(connection, ["/api/num_jobs"] * ASKED_COUNT)
    length, growth = _stream_all(server)
    last = str(server.post(requests[0].endpoint, requests[0].body).json()["job_id"])
    assert server.stop() == 0
    record(
        f"{JOB_COUNT:,} finished jobs",
        "page < 20 ms, one job < 10 ms, ready < 3 s",
        f"p99: page {page_ms:.1f} ms, one job {one_ms:.1f} ms, num_jobs {count_ms:.1f} ms; ready after "
        f"{server.ready_s[-1]:.1f} s; the whole list {length / 1e6:.0f} MB with memory +{growth / 1e6:.0f} MB",
    )
    assert all(same(requests[0].expected, answer.json()["data"]) for answer in answers)
    assert {page.status for page in pages} == {200}
    assert last == f"job_id_{JOB_COUNT + 1}"
    assert growth < length  # it is streamed
