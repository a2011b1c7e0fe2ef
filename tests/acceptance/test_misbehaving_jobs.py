"""Jobs that loop, allocate without end, raise anything, or return what JSON can't hold: the server doesn't mind."""

from __future__ import annotations

import json

import pytest

from meantime.jobs.thread_pool import MAX_ATTEMPTS
from tests.acceptance.conftest import OpenServer
from tests.acceptance.server import MISBEHAVING, Server
from tests.acceptance.small_table import QUESTIONS, Request, same
from tests.fault_table import Record

BODY = json.dumps({"question": QUESTIONS[0]}).encode()
MEMORY_LIMIT_BYTES = 8 << 30
THREADS = 2

REASONS = {
    "raise_error": "ValueError: no answer",
    "leave": "SystemExit: 3",
    "interrupt": "KeyboardInterrupt",
    "return_set": "the result can't be written as JSON",
    "return_nan": "the result can't be written as JSON",
    "allocate": "MemoryError",
    "loop": "timeout: the job ran longer than 2 s",
}
TIME_LIMITS_S = {"loop": 2}
"""Short only where the limit itself is the subject: the other jobs are not to be timed."""


@pytest.fixture
def server(open_server: OpenServer, fault: str) -> Server:
    """A misbehaving server with two runners and 8 GB of address space."""
    options = ["--threads", str(THREADS), "--job-time-limit-s", str(TIME_LIMITS_S.get(fault, 60))]
    return open_server(program=MISBEHAVING, options=options, limits=[f"--as={MEMORY_LIMIT_BYTES}"]).start()


def submit(server: Server, endpoint: str) -> str:
    answer = server.post(endpoint, BODY)
    assert answer.status == 200, answer
    return str(answer.json()["job_id"])


@pytest.mark.parametrize("fault", REASONS)
def test_a_bad_job_fails_with_a_reason_and_leaves_the_pool_at_full_strength(
    server: Server, requests: list[Request], record: Record, fault: str
) -> None:
    bad = [submit(server, fault) for _ in range(2 * THREADS)]
    answers = [server.result(job_id) for job_id in bad]
    assert {str(answer["status"]) for answer in answers} == {"error"}
    reasons = {str(answer["reason"]) for answer in answers}
    assert all(reason.startswith(REASONS[fault]) for reason in reasons), reasons
    # Two jobs that last until they meet show that two runners are left.
    together = [submit(server, "wait_for_go") for _ in range(THREADS)]
    (server.folder / "go").touch()
    assert all(server.result(job_id)["status"] == "done" for job_id in together)
    for request in requests[:10]:
        job_id = str(server.post(request.endpoint, request.body).json()["job_id"])
        assert same(request.expected, server.result(job_id)["data"])
    assert server.stop() == 0
    record(f"job: {fault}", "failed with a reason, pool at full strength", f"{len(bad)} failed: {min(reasons)[:60]}")


def test_a_job_that_ends_the_process_again_and_again_fails(
    open_server: OpenServer, requests: list[Request], record: Record
) -> None:
    server = open_server(program=MISBEHAVING, options=["--threads", "1"]).start()
    job_id = submit(server, "crash")
    assert server.wait() == 1
    # Its first start is not written down, since that would cost every job a write; those after a crash are.
    for _ in range(MAX_ATTEMPTS):
        server.launch()
        assert server.wait() == 1
    server.start()
    answer = server.result(job_id)
    good = str(server.post(requests[0].endpoint, requests[0].body).json()["job_id"])
    assert same(requests[0].expected, server.result(good)["data"])
    assert server.stop() == 0
    record("job: crash", "fails after 3 further attempts, server serves on", str(answer.get("reason")))
    assert answer == {"status": "error", "reason": "crashed: the server ended 3 times while this job ran"}
