"""The housekeeper does its duty until it is told to stop, whatever the duty raises."""

from __future__ import annotations

import threading

import pytest

from meantime.errors import StoreUnavailableError
from meantime.supervisor import Housekeeper

LIMIT_S = 30.0


@pytest.mark.parametrize(
    "error", [StoreUnavailableError("busy"), ValueError("bad"), MemoryError(), SystemExit(1), KeyError("k")]
)
def test_the_duty_is_done_again_after_it_failed_and_no_more_after_stop(error: BaseException) -> None:
    rounds = threading.Semaphore(0)
    errors = [error]

    def duty() -> None:
        rounds.release()
        if errors:
            raise errors.pop()

    housekeeper = Housekeeper(duty, name="sweeper", interval_s=0.001)
    housekeeper.start()
    assert all(rounds.acquire(timeout=LIMIT_S) for _ in range(2))
    housekeeper.stop()
    assert housekeeper.failure_count == 1
    assert "sweeper" not in {thread.name for thread in threading.enumerate()}


def test_stopping_before_the_start_is_harmless() -> None:
    Housekeeper(lambda: None, name="sweeper", interval_s=1.0).stop()
