"""The housekeeper does its duty until it is told to stop, whatever the duty raises."""

from __future__ import annotations

import threading

from meantime.errors import StoreUnavailableError
from meantime.jobs.housekeeper import Housekeeper


def test_the_duty_is_done_again_after_it_failed_and_no_more_after_stop() -> None:
    rounds = threading.Semaphore(0)
    count = 0

    def duty() -> None:
        nonlocal count
        count += 1
        rounds.release()
        if count == 1:
            raise StoreUnavailableError("busy")

    housekeeper = Housekeeper(duty, interval_s=0.001)
    housekeeper.start()
    assert rounds.acquire(timeout=10.0)
    assert rounds.acquire(timeout=10.0)
    housekeeper.stop()
    assert count >= 2
    assert "housekeeper" not in {thread.name for thread in threading.enumerate()}


def test_stopping_before_the_start_is_harmless() -> None:
    Housekeeper(lambda: None, interval_s=1.0).stop()
