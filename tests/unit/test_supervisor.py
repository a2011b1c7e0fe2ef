"""A thread that ends although nobody asked it to is noticed, counted and started again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from meantime.supervisor import KeptThread, Supervisor

LIMIT_S = 30.0


class Duty:
    """Works until it is woken, but for the rounds that end in another way."""

    def __init__(self, *faults: Callable[[], object]) -> None:
        self._faults = list(faults)
        self.begun = threading.Semaphore(0)
        self.woken = threading.Event()

    def __call__(self) -> None:
        self.begun.release()
        if self._faults:
            self._faults.pop(0)()
            return
        self.woken.wait()

    def wait_begun(self) -> None:
        """Wait until a round has begun."""
        assert self.begun.acquire(timeout=LIMIT_S)


def raise_system_exit() -> None:
    raise SystemExit(1)


def raise_recursion_error() -> None:
    raise RecursionError("deep")


def wait_missing(thread: KeptThread) -> None:
    """Wait for the end of a thread that nobody asked to end."""
    for each in threading.enumerate():
        if each.name == thread.name:
            each.join(LIMIT_S)
    assert thread.is_missing


@pytest.fixture
def supervisor() -> Supervisor:
    """A supervisor of nothing."""
    return Supervisor()


@pytest.fixture
def keep(supervisor: Supervisor) -> Iterator[Callable[[Duty], KeptThread]]:
    """Starts a thread with a duty under the supervisor."""
    kept: list[tuple[KeptThread, Duty]] = []

    def start(duty: Duty) -> KeptThread:
        thread = KeptThread(duty, name="duty")
        kept.append((thread, duty))
        supervisor.add(thread)
        thread.start()
        duty.wait_begun()
        return thread

    yield start
    for thread, duty in kept:
        thread.end(duty.woken.set)


@pytest.mark.parametrize("fault", [raise_system_exit, raise_recursion_error, lambda: None])
def test_a_thread_that_ends_unasked_is_missing_logged_counted_and_started_again(
    supervisor: Supervisor,
    keep: Callable[[Duty], KeptThread],
    caplog: pytest.LogCaptureFixture,
    fault: Callable[[], object],
) -> None:
    duty = Duty(fault)
    thread = keep(duty)
    wait_missing(thread)
    assert supervisor.missing() == ["duty"]
    assert supervisor.running() == {"duty": False}
    assert "the thread duty has ended, and nobody asked it to" in caplog.text
    assert supervisor.keep_all() == 1
    duty.wait_begun()
    assert supervisor.missing() == []
    assert supervisor.running() == {"duty": True}
    assert supervisor.end_counts() == {"duty": 1}


def test_a_thread_that_is_told_to_end_is_not_missed(
    supervisor: Supervisor, keep: Callable[[Duty], KeptThread], caplog: pytest.LogCaptureFixture
) -> None:
    duty = Duty()
    keep(duty).end(duty.woken.set)
    assert supervisor.missing() == []
    assert supervisor.keep_all() == 0
    assert supervisor.running() == {}
    assert supervisor.end_counts() == {"duty": 0}
    assert caplog.text == ""


def test_a_thread_that_never_started_is_not_missed_and_may_be_ended(supervisor: Supervisor) -> None:
    duty = Duty()
    thread = KeptThread(duty, name="duty")
    supervisor.add(thread)
    thread.end(duty.woken.set)
    assert supervisor.missing() == []
    assert supervisor.keep_all() == 0


def test_where_no_thread_is_to_be_had_it_stays_missing_and_is_tried_again(
    supervisor: Supervisor, keep: Callable[[Duty], KeptThread], caplog: pytest.LogCaptureFixture
) -> None:
    duty = Duty(raise_system_exit)
    thread = keep(duty)
    wait_missing(thread)
    size = threading.stack_size(2**46)  # more than the address space has
    try:
        assert supervisor.keep_all() == 1
    finally:
        threading.stack_size(size)
    assert supervisor.missing() == ["duty"]
    assert "the thread duty can't be started again" in caplog.text
    assert supervisor.keep_all() == 1
    duty.wait_begun()
    assert supervisor.missing() == []
