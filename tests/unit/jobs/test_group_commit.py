"""Group commit without a store: who leads, who follows, and what a failure does."""

from __future__ import annotations

import threading

import pytest

from meantime.jobs.group_commit import GroupCommit


class Ledger:
    """A commit that records its batches and can be held up or made to fail."""

    def __init__(self) -> None:
        self.batches: list[tuple[list[str], list[str]]] = []
        self.may_commit = threading.Event()
        self.may_commit.set()
        self.is_committing = threading.Event()
        self.failures = 0

    def __call__(self, items: list[str], notes: list[str]) -> list[int]:
        self.is_committing.set()
        assert self.may_commit.wait(10.0)
        if self.failures:
            self.failures -= 1
            raise OSError("disk on fire")
        self.batches.append((items, notes))
        return [len(item) for item in items]


def in_thread(function: object, *arguments: object) -> threading.Thread:
    assert callable(function)
    thread = threading.Thread(target=function, args=arguments)
    thread.start()
    return thread


def wait_for_queue(group: GroupCommit[str, str, int], count: int) -> None:
    """Wait until ``count`` followers stand in line; they can't tell, so look (bounded)."""
    pause = threading.Event()
    for _ in range(2000):
        with group._lock:
            if len(group._waiting) == count:
                return
        pause.wait(0.005)
    raise AssertionError("the followers never came")


def test_an_item_is_committed_and_gets_its_own_answer() -> None:
    ledger = Ledger()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    assert group.commit_durably("abc") == 3
    assert group.commit_durably("") == 0
    assert ledger.batches == [(["abc"], []), ([""], [])]


def test_items_that_come_while_the_leader_is_busy_share_one_commit() -> None:
    ledger = Ledger()
    ledger.may_commit.clear()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    answers: dict[str, int] = {}

    def submit(item: str) -> None:
        answers[item] = group.commit_durably(item)

    leader = in_thread(submit, "first")
    assert ledger.is_committing.wait(10.0)
    followers = [in_thread(submit, "x" * n) for n in range(1, 9)]
    wait_for_queue(group, 8)
    ledger.may_commit.set()
    for thread in [leader, *followers]:
        thread.join(10.0)
    assert len(ledger.batches) == 2
    assert answers == {"first": 5} | {"x" * n: n for n in range(1, 9)}


def test_a_failed_commit_is_told_to_everyone_who_waits_and_the_next_one_works() -> None:
    ledger = Ledger()
    ledger.failures = 1
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    with pytest.raises(OSError, match="disk on fire"):
        group.commit_durably("lost")
    assert group.commit_durably("kept") == 4


def test_a_note_is_committed_at_once_when_nobody_leads() -> None:
    ledger = Ledger()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.commit_soon(1, "done", may_wait=False)
    assert ledger.batches == [([], ["done"])]


def test_a_note_that_may_wait_rides_with_the_next_commit_and_a_later_one_replaces_it() -> None:
    ledger = Ledger()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.commit_soon(1, "running", may_wait=True)
    group.commit_soon(2, "running too", may_wait=True)
    group.commit_soon(1, "done", may_wait=True)
    assert ledger.batches == []
    group.commit_durably("item")
    assert ledger.batches == [(["item"], ["done", "running too"])]


def test_a_note_left_while_the_leader_commits_is_written_before_the_lead_ends() -> None:
    ledger = Ledger()
    ledger.may_commit.clear()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    leader = in_thread(group.commit_durably, "first")
    assert ledger.is_committing.wait(10.0)
    group.commit_soon(1, "done", may_wait=False)
    ledger.may_commit.set()
    leader.join(10.0)
    assert ledger.batches == [(["first"], []), ([], ["done"])]


def test_notes_of_a_failed_commit_are_kept_unless_a_later_one_came() -> None:
    ledger = Ledger()
    ledger.failures = 1
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.commit_soon(1, "old", may_wait=True)
    group.commit_soon(2, "kept", may_wait=True)
    with pytest.raises(OSError, match="disk on fire"):
        group.commit_durably("lost")
    group.commit_soon(1, "new", may_wait=True)
    assert sorted(group.take_notes()) == ["kept", "new"]
    assert group.take_notes() == []
