"""Two servers started at once on one state directory: one wins, the other says so and ends."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.acceptance.conftest import OpenServer
from tests.acceptance.server import START_LIMIT_S, NotReadyError, Server
from tests.fault_table import Record


def _race(one: Server, other: Server) -> tuple[int, float]:
    """Start two servers at once; return how many serve, and the seconds until the other had ended."""
    began = time.monotonic()
    one.launch()
    other.launch()
    while one.is_alive and other.is_alive:
        assert time.monotonic() < began + START_LIMIT_S, "both run"
    lost_after_s = time.monotonic() - began
    loser, winner = (one, other) if not one.is_alive else (other, one)
    assert loser.wait() == 2
    (line,) = loser.errors.splitlines()
    assert f"another server (process {winner.process.pid}) uses the state directory" in line
    loser.errors_file.unlink()
    winner.wait_ready()
    assert winner.ask("GET", "/readyz").status == 200
    with pytest.raises(NotReadyError):
        loser.start()
    loser.errors_file.unlink()
    assert winner.stop() == 0
    return 1, lost_after_s


def _race_again_and_again(count: int, open_server: OpenServer, tmp_path: Path, record: Record) -> None:
    one, other = (open_server(folder=tmp_path / name, state=tmp_path / "state") for name in ("one", "other"))
    races = [_race(one, other) for _ in range(count)]
    slowest_s = max(seconds for _, seconds in races)
    record(
        f"two servers, {count} races",
        "exactly one wins, the other exits with a clear line <= 1 s",
        f"one won {sum(won for won, _ in races)} of {count}; the other had ended after {slowest_s:.1f} s at most",
    )


def test_exactly_one_of_two_servers_wins_in_5_races(open_server: OpenServer, tmp_path: Path, record: Record) -> None:
    _race_again_and_again(5, open_server, tmp_path, record)


@pytest.mark.soak
def test_exactly_one_of_two_servers_wins_in_100_races(open_server: OpenServer, tmp_path: Path, record: Record) -> None:
    _race_again_and_again(100, open_server, tmp_path, record)
