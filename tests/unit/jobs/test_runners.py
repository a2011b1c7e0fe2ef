"""The runner threads: always as many as asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from meantime.jobs.runners import Runners

LIMIT_S = 30.0


class Crew:
    """Runners that wait for the test; as many as ``dies`` is released for end at once."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.dies = threading.Semaphore(0)
        self.has_died = threading.Semaphore(0)
        self.runners = Runners(self.run, 2)

    def run(self) -> None:
        if self.dies.acquire(blocking=False):
            self.has_died.release()
            return
        assert self.may_end.wait(LIMIT_S)


@pytest.fixture
def crew() -> Iterator[Crew]:
    made = Crew()
    yield made
    made.may_end.set()
    assert made.runners.join(LIMIT_S)


def test_runners_are_not_alive_before_they_start(crew: Crew) -> None:
    assert (len(crew.runners), crew.runners.alive_count(), crew.runners.dead()) == (2, 0, [])


def test_runners_that_died_are_found_and_replaced(crew: Crew) -> None:
    crew.dies.release()
    crew.runners.start()
    assert crew.has_died.acquire(timeout=LIMIT_S)
    while not (dead := crew.runners.dead()):
        continue  # its thread is just ending
    crew.runners.replace(dead[0])
    assert (crew.runners.alive_count(), crew.runners.replaced_count, crew.runners.dead()) == (2, 1, [])


def test_a_runner_is_replaced_once(crew: Crew) -> None:
    crew.dies.release()
    crew.runners.start()
    assert crew.has_died.acquire(timeout=LIMIT_S)
    while not (dead := crew.runners.dead()):
        continue
    crew.runners.replace(dead[0])
    crew.runners.replace(dead[0])
    assert crew.runners.replaced_count == 1


def test_somebody_elses_thread_is_never_replaced(crew: Crew) -> None:
    crew.runners.start()
    crew.runners.replace(threading.current_thread())
    assert (crew.runners.alive_count(), crew.runners.replaced_count) == (2, 0)


def test_join_gives_up_after_its_timeout(crew: Crew) -> None:
    crew.runners.start()
    assert not crew.runners.join(0.0)
