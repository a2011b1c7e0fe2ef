"""The one table of transitions, held to the promise."""

from __future__ import annotations

import itertools

import pytest

from meantime.errors import IllegalTransitionError
from meantime.jobs.job_state import TRANSITIONS, JobState, check_transition

STEPS = list(itertools.product(JobState, JobState))


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(JobState)


def test_done_failed_and_cancelled_are_final() -> None:
    assert {state for state in JobState if state.is_final} == {JobState.DONE, JobState.FAILED, JobState.CANCELLED}


@pytest.mark.parametrize(("current", "wanted"), [step for step in STEPS if step[1] not in TRANSITIONS[step[0]]])
def test_an_illegal_transition_is_refused(current: JobState, wanted: JobState) -> None:
    with pytest.raises(IllegalTransitionError, match=f"{current} can't become {wanted}"):
        check_transition(current, wanted)


@pytest.mark.parametrize(("current", "wanted"), [step for step in STEPS if step[1] in TRANSITIONS[step[0]]])
def test_a_legal_transition_is_allowed(current: JobState, wanted: JobState) -> None:
    check_transition(current, wanted)


def test_every_state_is_reached_from_queued() -> None:
    reached = {JobState.QUEUED}
    while more := {after for state in reached for after in TRANSITIONS[state]} - reached:
        reached |= more
    assert reached == set(JobState)
