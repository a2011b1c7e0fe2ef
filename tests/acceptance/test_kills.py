"""SIGKILL under load at random points: nothing that was acknowledged is lost, wrong or given twice."""

from __future__ import annotations

import random
import statistics
from functools import partial

import pytest

from tests.acceptance.conftest import OpenServer
from tests.acceptance.load import Journal, Load, store_problems
from tests.acceptance.small_table import Request
from tests.fault_table import Record


def _kill_again_and_again(kill_count: int, open_server: OpenServer, requests: list[Request], record: Record) -> None:
    chooser = random.Random(20261122)
    server, journal = open_server(), Journal()
    for i in range(kill_count):
        server.start()
        load = Load(server, requests, journal, seed=i)
        whom = chooser.choice(["group", "group", "main", "worker"])
        load.at_acknowledgement(chooser.randint(1, 150), partial(server.kill, whom))
        load.start()
        load.join()
        assert not server.is_alive
    server.start()
    server.wait_idle()
    lost, duplicates = journal.check(server), journal.duplicates()
    assert server.stop() == 0
    problems = store_problems(server.store_file)
    restarts = server.ready_s[1:]
    record(
        f"SIGKILL under load, {kill_count} points",
        "0 lost, 0 wrong, 0 duplicate ids, store intact, ready <= 2 s",
        f"{len(journal.acknowledged)} acknowledged: {len(lost)} lost, {len(journal.wrong)} wrong, "
        f"{len(duplicates)} duplicate ids, store {'damaged' if problems else 'intact'}, "
        f"ready after {statistics.median(restarts):.1f} s (median), {max(restarts):.1f} s (longest)",
    )
    assert len(journal.acknowledged) >= kill_count
    assert (lost, journal.wrong, duplicates, problems) == ([], [], [], [])


def test_sigkill_at_20_points_loses_nothing(open_server: OpenServer, requests: list[Request], record: Record) -> None:
    _kill_again_and_again(20, open_server, requests, record)


@pytest.mark.soak
def test_sigkill_at_200_points_loses_nothing(open_server: OpenServer, requests: list[Request], record: Record) -> None:
    _kill_again_and_again(200, open_server, requests, record)


def test_a_server_killed_while_it_starts_starts_again(
    open_server: OpenServer, requests: list[Request], record: Record
) -> None:
    server, journal = open_server().start(), Journal()
    load = Load(server, requests, journal)
    load.at_acknowledgement(100, server.kill)
    load.start()
    load.join()
    waits_s = [0.1 * i for i in range(1, 11)]
    for wait_s in waits_s:
        server.launch()
        # Not a wait for something to happen: the kill is to come at this point of the start.
        server.kill_after(wait_s)
    server.start()
    server.wait_idle()
    lost = journal.check(server)
    assert server.stop() == 0
    # On a slow machine a job may be caught running three times; then it is told that it may have ended the server.
    blamed = [line for line in journal.wrong if "ended 3 times while this job ran" in line]
    wrong = [line for line in journal.wrong if line not in blamed]
    record(
        f"SIGKILL while starting, {len(waits_s)} points",
        "0 lost, 0 wrong",
        f"{len(journal.acknowledged)} acknowledged: {len(lost)} lost, {len(wrong)} wrong, {len(blamed)} blamed",
    )
    assert (lost, wrong, store_problems(server.store_file)) == ([], [], [])
    assert len(blamed) <= 4, "more than the runners had at once"
