"""SIGTERM under load: every accepted job ends, nobody is cut off, and readiness goes first."""

from __future__ import annotations

import random
import threading

import pytest

from tests.acceptance.conftest import OpenServer
from tests.acceptance.load import Journal, Load
from tests.acceptance.patient_server import LAST_ANSWERS_VARIABLE
from tests.acceptance.server import PATIENT, Server
from tests.acceptance.small_table import Request
from tests.fault_table import Record


@pytest.fixture(autouse=True)
def time_for_every_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a client may be a second late, and it is to see the refusal, not a closed port."""
    monkeypatch.setenv(LAST_ANSWERS_VARIABLE, "3")


def _terminate_under_load(server: Server, requests: list[Request], journal: Journal, seed: int) -> tuple[int, int]:
    """Send SIGTERM at a random point; return the exit code and the first readiness that was seen after it."""
    server.start()
    asked = threading.Event()
    readiness: list[int] = []

    def terminate() -> None:
        server.process.terminate()
        asked.set()

    load = Load(server, requests, journal, seed=seed)
    load.at_acknowledgement(random.Random(seed).randint(20, 150), terminate)
    load.start()
    assert asked.wait(60)
    while not readiness:
        # The signal goes through two processes; a client's refusal may be the first sign of it, never the last.
        status = server.ask("GET", "/readyz").status
        if status != 200:
            readiness.append(status)
    assert server.ask("GET", "/healthz").status == 200
    load.join()
    return server.wait(), readiness[0]


def _terminate_again_and_again(count: int, open_server: OpenServer, requests: list[Request], record: Record) -> None:
    server, journal = open_server(program=PATIENT), Journal()
    ends = [_terminate_under_load(server, requests, journal, seed) for seed in range(count)]
    server.start()
    assert server.ask("GET", "/api/num_jobs").json()["num_jobs"] == 0
    lost = journal.check(server)
    assert server.stop() == 0
    codes, readiness = {code for code, _ in ends}, {status for _, status in ends}
    record(
        f"SIGTERM under load, {count} times",
        "all jobs finished or resumed, exit 0, 0 resets, readiness 503 first",
        f"{len(journal.acknowledged)} acknowledged: {len(lost)} lost, {len(journal.wrong)} wrong; exit {codes}, "
        f"{sum(journal.unheard.values())} requests without an answer, readiness {readiness}",
    )
    assert (lost, journal.wrong, codes, readiness) == ([], [], {0}, {503})
    assert dict(journal.unheard) == {}
    assert set(journal.refused) <= {503}


def test_sigterm_under_load_5_times(open_server: OpenServer, requests: list[Request], record: Record) -> None:
    _terminate_again_and_again(5, open_server, requests, record)


@pytest.mark.soak
def test_sigterm_under_load_50_times(open_server: OpenServer, requests: list[Request], record: Record) -> None:
    _terminate_again_and_again(50, open_server, requests, record)
