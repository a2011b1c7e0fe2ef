"""More POSTs than the queue takes: the bound holds, the rest are told when to come again, memory stays."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import closing

from tests.acceptance.conftest import OpenServer
from tests.acceptance.server import MISBEHAVING, ask
from tests.acceptance.small_table import QUESTIONS, Request
from tests.fault_table import Record

POST_COUNT = 5_000
CLIENT_COUNT = 16
CAPACITY = 1_000
RUNNERS = 2
GROWTH_LIMIT_BYTES = 50 * 1024 * 1024


def test_a_full_queue_refuses_the_rest_of_5000_posts(
    open_server: OpenServer, requests: list[Request], record: Record
) -> None:
    server = open_server(program=MISBEHAVING, options=["--threads", str(RUNNERS)]).start()
    for request in requests[:200]:
        assert server.post(request.endpoint, request.body).status == 200
    server.wait_idle()
    gated = json.dumps({"question": QUESTIONS[0]}).encode()
    for _ in range(RUNNERS):
        assert server.post("wait_for_go", gated).status == 200
    before_bytes = server.resident_bytes()
    statuses: Counter[int] = Counter()
    without_hint: list[str] = []
    accepted: list[str] = []
    lock = threading.Lock()

    def submit(client: int) -> None:
        with closing(server.connect()) as connection:
            for i in range(client, POST_COUNT, CLIENT_COUNT):
                request = requests[i % len(requests)]
                answer = ask(connection, "POST", f"/api/{request.endpoint}", request.body)
                with lock:
                    statuses[answer.status] += 1
                    if answer.status == 200:
                        accepted.append(str(answer.json()["job_id"]))
                    elif "retry-after" not in {name.lower() for name in answer.headers}:
                        without_hint.append(str(answer))

    clients = [threading.Thread(target=submit, args=(i,)) for i in range(CLIENT_COUNT)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    growth_bytes = server.resident_bytes() - before_bytes
    waiting = server.ask("GET", "/api/num_jobs").json()["num_jobs"]
    (server.folder / "go").touch()
    server.wait_idle()
    failed = [job_id for job_id in accepted if server.result(job_id)["status"] != "done"]
    assert server.stop() == 0
    record(
        f"queue full, {POST_COUNT} POSTs",
        "the bound holds, 503 with Retry-After, memory +< 50 MB",
        f"{statuses[200]} accepted (bound {CAPACITY}), {statuses[503]} x 503, {len(failed)} of the accepted lost, "
        f"memory +{growth_bytes / 1e6:.0f} MB",
    )
    assert set(statuses) == {200, 503}
    # The two that run were taken out of the queue, perhaps only once it had filled.
    assert CAPACITY <= statuses[200] <= CAPACITY + RUNNERS
    assert waiting == statuses[200] + RUNNERS
    assert (without_hint, failed) == ([], [])
    assert growth_bytes < GROWTH_LIMIT_BYTES
