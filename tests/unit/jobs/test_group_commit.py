"""Group commit without a store: who leads, who follows, and what a failure does."""

from __future__ import annotations

import threading

import pytest

from meantime.jobs.sqlite.group_commit import GroupCommit


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


def test_a_note_rides_with_the_next_commit_and_a_later_one_replaces_it() -> None:
    ledger = Ledger()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.note(1, "running")
    group.note(2, "running too")
    group.note(1, "done")
    assert ledger.batches == []
    assert group.has_note(1)
    group.commit_durably("item")
    assert ledger.batches == [(["item"], ["done", "running too"])]
    assert not group.has_note(1)


def test_a_final_note_is_not_replaced_while_it_waits() -> None:
    ledger = Ledger()
    group: GroupCommit[str, str, int] = GroupCommit(ledger, is_final=lambda note: note == "done")
    for note in ("running", "done", "failed"):
        group.note(1, note)
    assert group.take_notes() == ["done"]


def test_a_flush_commits_the_notes_that_wait_and_nothing_when_none_do() -> None:
    ledger = Ledger()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.flush()
    group.note(1, "done")
    group.flush()
    group.flush()
    assert ledger.batches == [([], ["done"])]


def test_a_note_left_while_the_leader_commits_waits_for_the_next_commit() -> None:
    ledger = Ledger()
    ledger.may_commit.clear()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    leader = in_thread(group.commit_durably, "first")
    assert ledger.is_committing.wait(10.0)
    group.note(1, "done")
    ledger.may_commit.set()
    leader.join(10.0)
    assert ledger.batches == [(["first"], [])]
    assert group.take_notes() == ["done"]


@pytest.mark.parametrize("by_flush", [False, True])
def test_notes_of_a_failed_commit_are_kept_unless_a_later_one_came(*, by_flush: bool) -> None:
    ledger = Ledger()
    ledger.failures = 1
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.note(1, "old")
    group.note(2, "kept")
    with pytest.raises(OSError, match="disk on fire"):
        group.flush() if by_flush else group.commit_durably("lost")
    group.note(1, "new")
    assert sorted(group.take_notes()) == ["kept", "new"]
    assert group.take_notes() == []
