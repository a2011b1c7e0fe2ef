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
        self.running_count = 0
        self.most_at_once = 0

    def __call__(self, items: list[str], notes: list[str]) -> list[int]:
        self.running_count += 1
        self.most_at_once = max(self.most_at_once, self.running_count)
        self.is_committing.set()
        assert self.may_commit.wait(10.0)
        self.running_count -= 1
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
        if group.waiting_count() == count:
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
    group.flush()
    assert ledger.batches == [([], ["done"])]


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
    assert group.has_note(1)
    group.flush()
    assert ledger.batches == [(["first"], []), ([], ["done"])]


@pytest.mark.parametrize("leads", ["item", "flush"])
def test_a_flush_takes_its_turn_so_that_commits_never_overlap(leads: str) -> None:
    ledger = Ledger()
    ledger.may_commit.clear()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.note(1, "started")
    first = in_thread(group.commit_durably, "first") if leads == "item" else in_thread(group.flush)
    assert ledger.is_committing.wait(10.0)
    group.note(2, "done")
    others = [in_thread(group.flush), in_thread(group.commit_durably, "second"), in_thread(group.flush)]
    wait_for_queue(group, 3)
    ledger.may_commit.set()
    for thread in [first, *others]:
        thread.join(10.0)
    assert ledger.most_at_once == 1
    assert ledger.batches == [(["first"] if leads == "item" else [], ["started"]), (["second"], ["done"])]


def test_a_flush_waits_for_the_notes_that_are_just_being_committed() -> None:
    ledger = Ledger()
    ledger.may_commit.clear()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.note(1, "done")
    leader = in_thread(group.commit_durably, "item")
    assert ledger.is_committing.wait(10.0)
    assert group.has_note(1)
    flush = in_thread(group.flush)
    wait_for_queue(group, 1)
    ledger.may_commit.set()
    flush.join(10.0)
    leader.join(10.0)
    assert not group.has_note(1)
    assert ledger.batches == [(["item"], ["done"])]


def test_notes_are_committed_alone_when_the_items_beside_them_are_refused() -> None:
    ledger = Ledger()
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.note(1, "done")
    ledger.failures = 1
    with pytest.raises(OSError, match="disk on fire"):
        group.commit_durably("refused")
    assert ledger.batches == [([], ["done"])]
    assert not group.has_note(1)


@pytest.mark.parametrize("by_flush", [False, True])
def test_notes_of_a_failed_commit_are_kept_unless_a_later_one_came(*, by_flush: bool) -> None:
    ledger = Ledger()
    ledger.failures = 1 if by_flush else 2
    group: GroupCommit[str, str, int] = GroupCommit(ledger)
    group.note(1, "old")
    group.note(2, "kept")
    with pytest.raises(OSError, match="disk on fire"):
        group.flush() if by_flush else group.commit_durably("lost")
    group.note(1, "new")
    group.flush()
    assert ledger.batches == [([], ["new", "kept"])]
