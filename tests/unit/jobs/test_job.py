"""Checkpoints stop a task; encoded results know their checksum."""

from __future__ import annotations

import hashlib

import pytest

from meantime.errors import JobCancelledError, TimeLimitError
from meantime.jobs.job import Checkpoint, EncodedResult


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_checkpoint_lets_a_task_go_on_within_its_limit() -> None:
    clock = Clock()
    checkpoint = Checkpoint(lambda: False, 60.0, clock)
    clock.now_s += 60.0
    checkpoint()


def test_a_checkpoint_stops_a_task_past_its_limit() -> None:
    clock = Clock()
    checkpoint = Checkpoint(lambda: False, 60.0, clock)
    clock.now_s += 60.1
    with pytest.raises(TimeLimitError, match="longer than 60 s"):
        checkpoint()


def test_a_checkpoint_stops_a_cancelled_task() -> None:
    wishes = [False]
    checkpoint = Checkpoint(lambda: wishes[-1], None)
    checkpoint()
    wishes.append(True)
    with pytest.raises(JobCancelledError):
        checkpoint()


def test_an_encoded_result_carries_the_checksum_of_its_bytes() -> None:
    assert EncodedResult.of(b"{}").sha256 == hashlib.sha256(b"{}").hexdigest()
